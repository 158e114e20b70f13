//! A media test through a relay that drops, delays and disorders, and knows what it did to each packet: what the test tells is
//! what the relay did.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use onenet_probe::{Key, Reflector, ReflectorConfig, clock, media::Media, open_reflector};
use tokio::{net::UdpSocket, time::sleep};

/// What the relay did: by number of the question how long it was held each way, and in which order answers left.
#[derive(Debug, Default)]
struct Log {
    asked: usize,
    dropped: usize,
    out_us: HashMap<u32, u64>,
    back: Vec<(u32, u64)>,
}

/// Noise that is the same in every run.
const fn noise(sequence: u32, salt: u32) -> u32 {
    let mixed = sequence.wrapping_add(salt).wrapping_mul(0x9e37_79b1);
    (mixed ^ (mixed >> 15)).wrapping_mul(0x85eb_ca6b) >> 16
}

fn number(packet: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(packet[at..at + 4].try_into().unwrap())
}

async fn relay(reflector: SocketAddr, log: Arc<Mutex<Log>>) -> SocketAddr {
    let (near, far) = (UdpSocket::bind("127.0.0.1:0").await.unwrap(), UdpSocket::bind("127.0.0.1:0").await.unwrap());
    far.connect(reflector).await.unwrap();
    let (address, near, far) = (near.local_addr().unwrap(), Arc::new(near), Arc::new(far));
    tokio::spawn(async move {
        let mut prober = None;
        let (mut one, mut other) = ([0; 2_048], [0; 2_048]);
        loop {
            tokio::select! {
                Ok((length, from)) = near.recv_from(&mut one) => {
                    prober = Some(from);
                    let (packet, came_us) = (one[..length].to_vec(), clock::now().us);
                    let sequence = number(&packet, 0);
                    log.lock().unwrap().asked += 1;
                    if noise(sequence, 1).is_multiple_of(17) {
                        log.lock().unwrap().dropped += 1;
                        continue;
                    }
                    let (far, log) = (Arc::clone(&far), Arc::clone(&log));
                    tokio::spawn(async move {
                        sleep(Duration::from_millis((20 + noise(sequence, 2) % 45).into())).await;
                        log.lock().unwrap().out_us.insert(sequence, clock::now().us - came_us);
                        far.send(&packet).await.unwrap();
                    });
                }
                Ok(length) = far.recv(&mut other) => {
                    let (packet, came_us) = (other[..length].to_vec(), clock::now().us);
                    let sequence = number(&packet, 48);
                    if noise(sequence, 3).is_multiple_of(23) {
                        log.lock().unwrap().dropped += 1;
                        continue;
                    }
                    let (near, log, prober) = (Arc::clone(&near), Arc::clone(&log), prober.unwrap());
                    tokio::spawn(async move {
                        sleep(Duration::from_millis((10 + noise(sequence, 4) % 25).into())).await;
                        log.lock().unwrap().back.push((sequence, clock::now().us - came_us));
                        near.send_to(&packet, prober).await.unwrap();
                    });
                }
            }
        }
    });
    address
}

/// RFC 3550, section 6.4.1, over times in the order of their arrival.
fn jitter(times: impl Iterator<Item = u64>) -> u64 {
    let (mut jitter, mut last) = (0.0, None::<u64>);
    for time in times {
        if let Some(last) = last.replace(time) {
            jitter += (f64::from(u32::try_from(time.abs_diff(last)).unwrap()) - jitter) / 16.0;
        }
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a jitter of some milliseconds")]
    let us = jitter as u64;
    us
}

/// Within a tenth or two milliseconds, whichever is more.
fn agree(what: &str, told: u64, happened: u64) {
    assert!(told.abs_diff(happened) <= (happened / 10).max(2_000), "{what}: told {told} µs, happened {happened} µs");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_media_test_tells_is_what_a_relay_did_to_each_packet() {
    let key = Some(Key::new(b"a key for the tests").unwrap());
    let socket = open_reflector("127.0.0.1:0".parse().unwrap()).unwrap();
    let reflector = socket.local_addr().unwrap().as_socket().unwrap();
    let config = ReflectorConfig { key: key.clone(), ..ReflectorConfig::default() };
    let answering = tokio::spawn(Reflector::new(socket, config).unwrap().run());
    let log = Arc::new(Mutex::new(Log::default()));
    let line = relay(reflector, Arc::clone(&log)).await;
    let told = Media::call(line, key).run().await.unwrap();
    let log = log.lock().unwrap();
    assert_eq!((told.sent, log.asked), (500, 500));
    assert!(log.dropped > 30, "the relay drops nothing: {log:?}");
    assert_eq!(told.lost, u64::try_from(log.dropped).unwrap(), "loss is exactly what the relay dropped");
    assert_eq!(told.duplicated, 0);
    let disorder = log.back.iter().zip(log.back.iter().skip(1)).filter(|(one, next)| next.0 < one.0).count();
    assert!(disorder > 20 && told.reordered >= u64::try_from(disorder).unwrap(), "{disorder} {}", told.reordered);
    let mut both: Vec<u64> = log.back.iter().map(|(sequence, back)| log.out_us[sequence] + back).collect();
    let out = jitter(log.back.iter().map(|(sequence, _)| log.out_us[sequence]));
    let back = jitter(log.back.iter().map(|(_, back)| *back));
    both.sort_unstable();
    agree("round trip", told.round_trip_median_us.unwrap(), both[both.len() / 2]);
    agree("longest round trip", told.round_trip_max_us.unwrap(), *both.last().unwrap());
    agree("jitter out", told.jitter_out_us.unwrap(), out);
    agree("jitter back", told.jitter_back_us.unwrap(), back);
    let mos = told.mos_centi.unwrap();
    assert!((250..400).contains(&mos), "a tenth lost is heard: {mos}");
    answering.abort();
}
