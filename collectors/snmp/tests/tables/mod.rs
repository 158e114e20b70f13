//! An agent made of a list of objects for each community, and what it takes to start it.

use std::{collections::BTreeMap, net::SocketAddr};

use tokio::{net::UdpSocket, task::JoinHandle};

use super::simulated::{Question, pair, response, tlv};

/// The most bytes of an answer.
const ANSWER_BYTES_MAX: usize = 1_300;

/// Objects by name, each with its encoded value.
#[derive(Debug, Clone, Default)]
pub(crate) struct Objects(BTreeMap<Vec<u32>, Vec<u8>>);

/// An agent on the loopback; it ends when dropped.
pub(crate) struct Agent {
    pub(crate) address: SocketAddr,
    task: JoinHandle<()>,
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Objects {
    pub(crate) fn with(mut self, name: &[u32], value: Vec<u8>) -> Self {
        self.0.insert(name.to_vec(), value);
        self
    }

    pub(crate) fn number(self, name: &[u32], number: u8) -> Self {
        self.with(name, tlv(2, &[number]))
    }

    pub(crate) fn text(self, name: &[u32], octets: &[u8]) -> Self {
        self.with(name, tlv(4, octets))
    }

    fn answer(&self, question: &Question<'_>) -> Vec<u8> {
        let mut pairs = Vec::new();
        let Some(rows) = question.rows else {
            for name in &question.names {
                pairs.extend(pair(name, self.0.get(name).unwrap_or(&tlv(0x81, &[]))));
            }
            return response(question, &pairs);
        };
        let mut names = question.names.clone();
        for _ in 0..rows {
            for name in &mut names {
                let next = self.0.range(name.clone()..).find(|(object, _)| *object > name);
                let pair = match next {
                    Some((object, value)) => {
                        name.clone_from(object);
                        pair(object, value)
                    }
                    None => pair(name, &tlv(0x82, &[])),
                };
                if pairs.len() + pair.len() > ANSWER_BYTES_MAX {
                    return response(question, &pairs);
                }
                pairs.extend(pair);
            }
        }
        response(question, &pairs)
    }
}

impl Agent {
    /// Starts an agent that answers each community with its own objects, and others not at all.
    pub(crate) async fn start(communities: impl IntoIterator<Item = (&'static str, Objects)>) -> Self {
        Self::run(communities, "127.0.0.1:0", usize::MAX).await
    }

    /// Starts an agent whose answers come from another address.
    pub(crate) async fn start_elsewhere(communities: impl IntoIterator<Item = (&'static str, Objects)>) -> Self {
        Self::run(communities, "127.0.0.2:0", usize::MAX).await
    }

    /// Starts an agent that answers no question for more values than `values_max`.
    pub(crate) async fn start_small(
        communities: impl IntoIterator<Item = (&'static str, Objects)>,
        values_max: usize,
    ) -> Self {
        Self::run(communities, "127.0.0.1:0", values_max).await
    }

    async fn run(
        communities: impl IntoIterator<Item = (&'static str, Objects)>,
        answers_from: &str,
        values_max: usize,
    ) -> Self {
        let communities: BTreeMap<Vec<u8>, Objects> =
            communities.into_iter().map(|(name, objects)| (name.as_bytes().to_vec(), objects)).collect();
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let answering_socket = UdpSocket::bind(answers_from).await.unwrap();
        let (address, elsewhere) = (socket.local_addr().unwrap(), !answers_from.starts_with("127.0.0.1"));
        let answering = async move {
            let mut buffer = vec![0; 2_000];
            loop {
                let (length, from) = socket.recv_from(&mut buffer).await.unwrap();
                let Some(question) = Question::read(&buffer[..length]) else { continue };
                let asked = question.names.len() * question.rows.unwrap_or(1) as usize;
                let Some(objects) = communities.get(question.community).filter(|_| asked <= values_max) else {
                    continue;
                };
                let answers_from = if elsewhere { &answering_socket } else { &socket };
                answers_from.send_to(&objects.answer(&question), from).await.unwrap();
            }
        };
        Self { address, task: tokio::spawn(answering) }
    }
}
