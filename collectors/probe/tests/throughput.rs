//! A test of throughput through a relay that lets a part through each way: what came through is told as what it is.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::net::SocketAddr;

use onenet_probe::{Key, Reflector, ReflectorConfig, open_reflector, throughput::Throughput};
use onenet_topology::ProbeTest;
use tokio::net::UdpSocket;

/// Lets half of the questions through, and three of four answers.
async fn relay(reflector: SocketAddr) -> SocketAddr {
    let (near, far) = (UdpSocket::bind("127.0.0.1:0").await.unwrap(), UdpSocket::bind("127.0.0.1:0").await.unwrap());
    far.connect(reflector).await.unwrap();
    let address = near.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut one, mut other) = ([0; 2_048], [0; 2_048]);
        let (mut asked, mut answered, mut prober) = (0_u32, 0_u32, None);
        loop {
            tokio::select! {
                Ok((length, from)) = near.recv_from(&mut one) => {
                    prober = Some(from);
                    if asked.is_multiple_of(2) {
                        far.send(&one[..length]).await.unwrap();
                    }
                    asked += 1;
                }
                Ok(length) = far.recv(&mut other) => {
                    answered += 1;
                    if answered % 4 != 2 {
                        near.send_to(&other[..length], prober.unwrap()).await.unwrap();
                    }
                }
            }
        }
    });
    address
}

fn about(what: &str, told: Option<u64>, expected: u64) {
    let told = told.unwrap();
    assert!(told.abs_diff(expected) <= expected / 10, "{what}: {told} kbit/s where about {expected} came through");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_test_of_throughput_tells_is_what_came_through_each_way() {
    let key = Some(Key::new(b"a key for the tests").unwrap());
    let socket = open_reflector("127.0.0.1:0".parse().unwrap()).unwrap();
    let reflector = socket.local_addr().unwrap().as_socket().unwrap();
    let config = ReflectorConfig { key: key.clone(), ..ReflectorConfig::default() };
    let answering = tokio::spawn(Reflector::new(socket, config).unwrap().run());
    let target = relay(reflector).await;
    let test = Throughput { target, key, kbit_per_s: 2_000, seconds: 2 };
    let told = test.run().await.unwrap();
    assert_eq!(told.test, ProbeTest::Throughput);
    // 2,000 kbit/s for two seconds in packets of 1,228 bytes.
    assert_eq!((told.sent, told.lost), (407, 407 - 153));
    assert_eq!((told.lost_out, told.lost_back), (Some(203), Some(51)));
    about("sent", told.rate_sent_kbit, 2_000);
    about("out", told.rate_out_kbit, 1_000);
    about("back", told.rate_back_kbit, 750);
    answering.abort();
}
