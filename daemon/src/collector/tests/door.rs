//! Who stands at the door: silent strangers take no agent's place, keep theirs for a short time, and hold up no end.

use tokio::io::AsyncReadExt as _;

use super::*;
use crate::collector::Limits;

const SHORT: Duration = Duration::from_millis(300);
const LONG: Duration = Duration::from_secs(3_600);

fn limits(strangers: usize, without_stream: Duration) -> Limits {
    Limits { connections: 64, strangers, strangers_by_address: strangers, without_stream }
}

impl Served {
    /// Makes a TLS connection without a certificate, and says nothing on it.
    async fn silent(&self) -> tokio_rustls::client::TlsStream<TcpStream> {
        let mut config = tls::enrolment_client(self.centre.authority()).unwrap();
        config.alpn_protocols = vec![b"h2".to_vec()];
        let tcp = TcpStream::connect(self.address).await.unwrap();
        tokio_rustls::TlsConnector::from(Arc::new(config)).connect(tls::server_name(), tcp).await.unwrap()
    }
}

/// Waits until the other end hangs up, whatever it still says.
async fn is_hung_up_on(mut stream: impl tokio::io::AsyncRead + Unpin) -> bool {
    let mut bytes = [0; 1024];
    let end = async { while stream.read(&mut bytes).await.is_ok_and(|read| read > 0) {} };
    tokio::time::timeout(PATIENCE, end).await.is_ok()
}

#[tokio::test]
async fn who_says_nothing_after_the_handshake_is_hung_up_on_and_an_agent_is_not() {
    let served = Served::start_within(Options::default(), limits(8, SHORT)).await;
    let site = served.site("000000").await;
    let papers = served.enrol(site).await;
    let (mut wire, _) = served.connect(&papers).await;
    // One that stays after the handshake, and one that does not even begin it.
    assert!(is_hung_up_on(served.silent().await).await);
    assert!(is_hung_up_on(TcpStream::connect(served.address).await.unwrap()).await);
    // Each of them took longer than an agent may be without a stream, and this one said nothing meanwhile.
    wire.say(AgentMessage::Batch(batch(1, 1))).await;
    assert!(matches!(wire.hear().await, CentreMessage::Acknowledgement(it) if it.position == at(1)));
    served.stop().await;
}

#[tokio::test]
async fn strangers_cannot_take_the_places_of_agents() {
    let served = Served::start_within(Options::default(), limits(2, LONG)).await;
    let site = served.site("000000").await;
    let papers = served.enrol(site).await;
    let (mut wire, _) = served.connect(&papers).await;
    // The connection of the enrolment may have its place yet: two more are taken at the most.
    let mut held = Vec::new();
    let full = async {
        loop {
            let mut stream = TcpStream::connect(served.address).await.unwrap();
            // Whoever is let in hears nothing, whoever is not is hung up on.
            match tokio::time::timeout(SHORT, stream.read_u8()).await {
                Ok(_) => break,
                Err(_) => held.push(stream),
            }
        }
    };
    tokio::time::timeout(PATIENCE, full).await.expect("strangers are let in without end");
    assert!(held.len() <= 2, "{}", held.len());
    wire.say(AgentMessage::Batch(batch(1, 1))).await;
    assert!(matches!(wire.hear().await, CentreMessage::Acknowledgement(it) if it.position == at(1)));
    served.stop().await;
}

#[tokio::test]
async fn an_idle_connection_does_not_hold_up_the_end() {
    let served = Served::start().await;
    let silent = served.silent().await;
    let unfinished = TcpStream::connect(served.address).await.unwrap();
    served.shutdown.cancel();
    tokio::time::timeout(PATIENCE, served.serving).await.expect("the end waits for who says nothing").unwrap();
    drop((silent, unfinished));
    served.centre.stop().await;
}
