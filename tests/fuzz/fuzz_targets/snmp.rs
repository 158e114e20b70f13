//! A device that answers anything: the inspection ends, and what it says can be used.
#![no_main]

use std::{
    future::Future,
    pin::pin,
    sync::{LazyLock, Mutex},
    task::{Context, Poll, Waker},
    time::Duration,
};

use libfuzzer_sys::fuzz_target;
use onenet_snmp::{
    Budget, Oid, Profiles, Session, Value, VarBind,
    exchange::{Answer, Diagnosis, Engine, ErrorStatus, ExchangeError, Pending, Request},
    inspect_with,
};

static PROFILES: LazyLock<Profiles> = LazyLock::new(Profiles::built_in);

/// Answers with what the bytes say; silent when they are used up.
struct Device(Mutex<Vec<u8>>);

fuzz_target!(|data: &[u8]| {
    let device = Device(Mutex::new(data.iter().rev().copied().collect()));
    let mut session = Session::with_engine(Box::new(device), ([192, 0, 2, 1], 161).into(), None);
    session.begin_round(Budget { requests: 3_000, time: Duration::from_secs(3_600) });
    let mut inspecting = pin!(inspect_with(&mut session, None, &PROFILES));
    let Poll::Ready(outcome) = inspecting.as_mut().poll(&mut Context::from_waker(Waker::noop())) else {
        panic!("the device is always ready, so the inspection is");
    };
    if let Ok(inspection) = outcome {
        assert!(inspection.forwarding.iter().all(|row| row.mac.is_unicast() && row.bridge_port != 0));
        assert!(inspection.addresses.iter().all(|row| row.mac.is_unicast()));
        serde_json::to_string(&inspection).expect("an inspection can always be written");
    }
});

impl Engine for Device {
    fn exchange<'a>(&'a self, request: &'a Request, _timeout: Duration) -> Pending<'a, Result<Answer, ExchangeError>> {
        let outcome = self.answer(request);
        Box::pin(async move { outcome })
    }

    fn diagnose(&self, _timeout: Duration) -> Pending<'_, Diagnosis> {
        Box::pin(async { Diagnosis::Silent })
    }
}

impl Device {
    fn answer(&self, request: &Request) -> Result<Answer, ExchangeError> {
        let mut bytes = self.0.lock().expect("one thread");
        let status = |status| Err(ExchangeError::Status { status, oid: None });
        let (Request::Get(names) | Request::GetBulk { after: names, .. }) = request;
        match bytes.pop() {
            None => Err(ExchangeError::TimedOut),
            Some(0) => status(ErrorStatus::TooBig),
            Some(1) => status(ErrorStatus::GeneralError),
            Some(2) => status(ErrorStatus::NoSuchName),
            Some(3) => Err(ExchangeError::TimedOut),
            Some(count) => {
                let varbinds = (0..usize::from(count) - 3)
                    .map_while(|place| varbind(&mut bytes, names.get(place % names.len().max(1)), request))
                    .collect();
                Ok(Answer { varbinds, round_trip: Some(Duration::from_millis(1)) })
            }
        }
    }
}

/// Makes a name, mostly one below or beside the one asked for, and a value.
fn varbind(bytes: &mut Vec<u8>, asked: Option<&Oid>, request: &Request) -> Option<VarBind> {
    let shape = bytes.pop()?;
    let mut arcs = asked.map_or_else(Vec::new, |oid| oid.arcs().to_vec());
    let keep = arcs.len().saturating_sub(usize::from(shape >> 6));
    arcs.truncate(keep);
    if matches!(request, Request::GetBulk { .. }) {
        for _ in 0..shape & 0x1f {
            let arc = bytes.pop()?;
            arcs.push(if arc == 0xff { u32::MAX } else { u32::from(arc) });
        }
    }
    Some(VarBind { oid: Oid::from_arcs(&arcs), value: value(bytes)? })
}

fn value(bytes: &mut Vec<u8>) -> Option<Value> {
    let kind = bytes.pop()?;
    let mut number = || bytes.pop().map(|byte| if byte > 0xf0 { u64::MAX - u64::from(byte) } else { u64::from(byte) });
    Some(match kind % 12 {
        0 => Value::Integer(number()? as i64),
        1 => Value::Counter32(number()?),
        2 => Value::Gauge32(number()?),
        3 => Value::TimeTicks(number()?),
        4 => Value::Counter64(number()?),
        5 => Value::NoSuchObject,
        6 => Value::EndOfMibView,
        7 => Value::Malformed,
        8 => Value::ObjectId(Box::new(Oid::from_arcs(&[1, 3, 6, 1, 4, 1, number()? as u32]))),
        9 => Value::Octets(vec![kind; 6].into()),
        _ => {
            let length = usize::from(bytes.pop()? & 0x1f).min(bytes.len());
            Value::Octets(bytes.split_off(bytes.len() - length).into())
        }
    })
}
