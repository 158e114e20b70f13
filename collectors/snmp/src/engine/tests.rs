//! Both engines against agents made by hand, byte by byte.

use std::time::Duration;

use tokio::net::UdpSocket;

use super::*;
use crate::{
    exchange::{Diagnosis, ExchangeError, Request},
    oid::Oid,
    value::Value,
};

fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u8::try_from(content.len()).unwrap();
    let long = if length < 128 { vec![tag, length] } else { vec![tag, 0x81, length] };
    [long.as_slice(), content].concat()
}

/// Returns the content of the element at `place` of a sequence's content.
fn element(content: &[u8], place: usize) -> &[u8] {
    let length = usize::from(content[1]);
    if place == 0 { &content[2..2 + length] } else { element(&content[2 + length..], place - 1) }
}

/// Returns a v2c response to `request` with these encoded values of instances 1.3.6.1.N.
fn response(request: &[u8], values: &[Vec<u8>]) -> Vec<u8> {
    let message = element(request, 0);
    let (community, pdu) = (element(message, 1), element(message, 2));
    let varbinds: Vec<u8> = values
        .iter()
        .zip(1u8..)
        .flat_map(|(value, number)| tlv(0x30, &[tlv(6, &[0x2b, 6, 1, number]), value.clone()].concat()))
        .collect();
    let body = [tlv(2, element(pdu, 0)), tlv(2, &[0]), tlv(2, &[0]), tlv(0x30, &varbinds)].concat();
    tlv(0x30, &[tlv(2, &[1]), tlv(4, community), tlv(0xa2, &body)].concat())
}

fn names(count: u32) -> Request {
    Request::Get((1..=count).map(|number| Oid::from_arcs(&[1, 3, 6, 1, number])).collect())
}

/// Which engine is tried: both must do the same wherever they can.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Own,
    Library,
}

async fn agent_and_engine(kind: Kind) -> (UdpSocket, Box<dyn Engine>) {
    let agent = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let credentials = Credentials::community("public").unwrap();
    let at = agent.local_addr().unwrap();
    let engine: Box<dyn Engine> = match kind {
        Kind::Own => Sockets::open(1).await.unwrap().engine(at, &credentials).await.unwrap(),
        Kind::Library => Box::new(library::Sockets::open(1).await.unwrap().engine(at, &credentials).await.unwrap()),
    };
    (agent, engine)
}

async fn receive(agent: &UdpSocket) -> (Vec<u8>, SocketAddr) {
    let mut request = vec![0; 2_000];
    let (length, from) = agent.recv_from(&mut request).await.unwrap();
    request.truncate(length);
    (request, from)
}

/// Asks for as many values as `values`, which the agent sends as they are.
async fn answered(kind: Kind, values: &[Vec<u8>]) -> Vec<Value> {
    let (agent, engine) = agent_and_engine(kind).await;
    let request = names(u32::try_from(values.len()).unwrap());
    let serve = async {
        let (request, from) = receive(&agent).await;
        agent.send_to(&response(&request, values), from).await.unwrap();
    };
    let (answer, ()) = tokio::join!(engine.exchange(&request, Duration::from_secs(20)), serve);
    let answer = answer.unwrap();
    assert!(answer.round_trip.is_some());
    answer.varbinds.iter().map(|varbind| varbind.value.clone()).collect()
}

#[tokio::test]
async fn a_counter_of_64_bits_is_exact() {
    for kind in [Kind::Own, Kind::Library] {
        let values =
            answered(kind, &[tlv(0x46, &[0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe]), tlv(0x46, &[5])]).await;
        assert_eq!(values, [Value::Counter64(u64::MAX - 1), Value::Counter64(5)]);
    }
}

#[tokio::test]
async fn a_number_wider_than_its_type_is_not_cut() {
    for kind in [Kind::Own, Kind::Library] {
        let wide_gauge = tlv(0x42, &[0x02, 0x54, 0x0b, 0xe4, 0x05]);
        let wide_integer = tlv(0x02, &[0x01, 0x00, 0x00, 0x00, 0x07]);
        let values = answered(kind, &[wide_gauge, tlv(0x42, &[9]), wide_integer]).await;
        assert_eq!(values, [Value::Gauge32(10_000_000_005), Value::Gauge32(9), Value::Integer(4_294_967_303)]);
    }
}

#[tokio::test]
async fn a_number_that_the_library_cuts_and_that_could_be_either_of_two_is_malformed_and_never_wrong() {
    let cut_to_seven = tlv(0x42, &[0x01, 0x00, 0x00, 0x00, 0x07]);
    let values = answered(Kind::Library, &[tlv(0x42, &[7]), cut_to_seven, tlv(0x42, &[8])]).await;
    assert_eq!(values, [Value::Malformed, Value::Malformed, Value::Gauge32(8)]);
}

#[tokio::test]
async fn exceptions_and_every_type_are_told_apart() {
    for kind in [Kind::Own, Kind::Library] {
        let values = answered(
            kind,
            &[
                tlv(0x80, &[]),
                tlv(0x81, &[]),
                tlv(0x04, b"ge-1"),
                tlv(0x06, &[0x2b, 6, 1, 4, 1]),
                tlv(0x40, &[10, 0, 0, 1]),
                tlv(0x43, &[1, 0]),
                tlv(0x02, &[0xff]),
            ],
        )
        .await;
        let expected = [
            Value::NoSuchObject,
            Value::NoSuchInstance,
            Value::Octets(b"ge-1".as_slice().into()),
            Value::ObjectId(Box::new("1.3.6.1.4.1".parse().unwrap())),
            Value::IpAddress([10, 0, 0, 1].into()),
            Value::TimeTicks(256),
            Value::Integer(-1),
        ];
        assert_eq!(values, expected);
    }
}

#[tokio::test]
async fn garbage_and_answers_to_other_questions_are_passed_over() {
    for kind in [Kind::Own, Kind::Library] {
        let (agent, engine) = agent_and_engine(kind).await;
        let request = names(1);
        let serve = async {
            let (request, from) = receive(&agent).await;
            let good = response(&request, &[tlv(2, &[42])]);
            let mut other_question = good.clone();
            let pdu = other_question.windows(2).position(|window| window == [0xa2, 0x1a]).unwrap_or(15);
            other_question[pdu + 5] ^= 0x55;
            for garbage in [&b"nonsense"[..], &[], &[0x30, 0x84], &good[..good.len() / 2], &other_question] {
                agent.send_to(garbage, from).await.unwrap();
            }
            agent.send_to(&good, from).await.unwrap();
        };
        let (answer, ()) = tokio::join!(engine.exchange(&request, Duration::from_secs(20)), serve);
        assert_eq!(answer.unwrap().varbinds.into_vec()[0].value, Value::Integer(42));
    }
}

#[tokio::test]
async fn an_agent_that_answers_from_another_port_is_understood() {
    for kind in [Kind::Own, Kind::Library] {
        let (agent, engine) = agent_and_engine(kind).await;
        let elsewhere = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let request = names(1);
        let serve = async {
            let (request, from) = receive(&agent).await;
            elsewhere.send_to(&response(&request, &[tlv(2, &[7])]), from).await.unwrap();
        };
        let (answer, ()) = tokio::join!(engine.exchange(&request, Duration::from_secs(20)), serve);
        assert_eq!(answer.unwrap().varbinds.into_vec()[0].value, Value::Integer(7));
    }
}

#[tokio::test]
async fn silence_ends_at_the_given_time_and_a_closed_port_is_diagnosed() {
    for kind in [Kind::Own, Kind::Library] {
        let (agent, engine) = agent_and_engine(kind).await;
        let outcome = engine.exchange(&names(1), Duration::from_millis(50)).await;
        assert!(matches!(outcome, Err(ExchangeError::TimedOut)), "{outcome:?}");
        assert_eq!(engine.diagnose(Duration::from_millis(50)).await, Diagnosis::Silent);
        drop(agent);
        assert_eq!(engine.diagnose(Duration::from_secs(20)).await, Diagnosis::PortClosed);
    }
}

#[tokio::test]
async fn our_engine_keeps_numbers_that_look_alike_apart() {
    let wide = tlv(0x42, &[0x01, 0x00, 0x00, 0x00, 0x07]);
    let values = answered(Kind::Own, &[tlv(0x42, &[7]), wide, tlv(0x42, &[8])]).await;
    assert_eq!(values, [Value::Gauge32(7), Value::Gauge32(4_294_967_303), Value::Gauge32(8)]);
}

#[tokio::test]
async fn one_unreadable_value_costs_that_value_and_never_the_answer() {
    let sent = [tlv(2, &[1]), tlv(0x40, &[10, 0]), tlv(0x99, &[1]), vec![2, 9, 1], tlv(2, &[5])];
    let read = answered(Kind::Own, &sent).await;
    let malformed = || Value::Malformed;
    assert_eq!(read, [Value::Integer(1), malformed(), malformed(), malformed(), Value::Integer(5)]);
}

#[tokio::test]
async fn an_abandoned_question_is_forgotten_and_its_late_answer_is_counted() {
    let agent = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let sockets = Sockets::open(1).await.unwrap();
    let credentials = Credentials::community("public").unwrap();
    let engine = sockets.engine(agent.local_addr().unwrap(), &credentials).await.unwrap();
    let outcome = engine.exchange(&names(1), Duration::from_millis(20)).await;
    assert!(matches!(outcome, Err(ExchangeError::TimedOut)), "{outcome:?}");
    assert_eq!(sockets.v4.waiting(), 0);
    let (late, from) = receive(&agent).await;
    agent.send_to(&response(&late, &[tlv(2, &[1])]), from).await.unwrap();
    let request = names(1);
    let serve = async {
        let (request, from) = receive(&agent).await;
        let answer = response(&request, &[tlv(2, &[2])]);
        agent.send_to(&answer, from).await.unwrap();
        agent.send_to(&answer, from).await.unwrap();
    };
    let (answer, ()) = tokio::join!(engine.exchange(&request, Duration::from_secs(20)), serve);
    assert_eq!(answer.unwrap().varbinds.into_vec()[0].value, Value::Integer(2));
    // The repeated answer is received in its time: a further exchange comes after it.
    let serve = async {
        let (request, from) = receive(&agent).await;
        agent.send_to(&response(&request, &[tlv(2, &[3])]), from).await.unwrap();
    };
    let (answer, ()) = tokio::join!(engine.exchange(&request, Duration::from_secs(20)), serve);
    assert_eq!(answer.unwrap().varbinds.into_vec()[0].value, Value::Integer(3));
    let counts = sockets.counts();
    assert_eq!((counts.answers, counts.unasked, counts.from_elsewhere), (2, 2, 0));
}
