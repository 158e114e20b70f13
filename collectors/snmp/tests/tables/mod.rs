//! An agent made of a list of objects for each community, and what it takes to start it.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use tokio::{net::UdpSocket, task::JoinHandle};

use super::simulated::{Question, pair, response, tlv};

/// The most bytes of an answer.
const ANSWER_BYTES_MAX: usize = 1_300;

/// Objects by name, each with its encoded value, and names that have another successor than they should.
#[derive(Debug, Clone, Default)]
pub(crate) struct Objects {
    values: BTreeMap<Vec<u32>, Vec<u8>>,
    successors: BTreeMap<Vec<u32>, Vec<u32>>,
}

/// What each community is answered with.
type Communities = BTreeMap<Vec<u8>, Objects>;

/// An agent on the loopback; it ends when dropped.
pub(crate) struct Agent {
    pub(crate) address: SocketAddr,
    communities: Arc<Mutex<Communities>>,
    task: JoinHandle<()>,
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Objects {
    pub(crate) fn with(mut self, name: &[u32], value: Vec<u8>) -> Self {
        self.values.insert(name.to_vec(), value);
        self
    }

    /// Has the agent go from one name to another that does not follow it.
    pub(crate) fn followed_by(mut self, name: &[u32], successor: &[u32]) -> Self {
        self.successors.insert(name.to_vec(), successor.to_vec());
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
                pairs.extend(pair(name, self.values.get(name).unwrap_or(&tlv(0x81, &[]))));
            }
            return response(question, &pairs);
        };
        let mut names = question.names.clone();
        for _ in 0..rows {
            for name in &mut names {
                let pair = match self.next(name) {
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

    fn next(&self, name: &Vec<u32>) -> Option<(&Vec<u32>, &Vec<u8>)> {
        match self.successors.get(name) {
            Some(successor) => self.values.get_key_value(successor),
            None => self.values.range(name.clone()..).find(|(object, _)| *object > name),
        }
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
        let communities = Arc::new(Mutex::new(by_name(communities)));
        let served = Arc::clone(&communities);
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let answering_socket = UdpSocket::bind(answers_from).await.unwrap();
        let (address, elsewhere) = (socket.local_addr().unwrap(), !answers_from.starts_with("127.0.0.1"));
        let answering = async move {
            let mut buffer = vec![0; 2_000];
            loop {
                let (length, from) = socket.recv_from(&mut buffer).await.unwrap();
                let Some(question) = Question::read(&buffer[..length]) else { continue };
                let asked = question.names.len() * question.rows.unwrap_or(1) as usize;
                let objects = served.lock().unwrap().get(question.community).cloned();
                let Some(objects) = objects.filter(|_| asked <= values_max) else { continue };
                let answers_from = if elsewhere { &answering_socket } else { &socket };
                answers_from.send_to(&objects.answer(&question), from).await.unwrap();
            }
        };
        Self { address, communities, task: tokio::spawn(answering) }
    }

    /// Has other objects from now on.
    pub(crate) fn becomes(&self, communities: impl IntoIterator<Item = (&'static str, Objects)>) {
        *self.communities.lock().unwrap() = by_name(communities);
    }
}

fn by_name(communities: impl IntoIterator<Item = (&'static str, Objects)>) -> Communities {
    communities.into_iter().map(|(name, objects)| (name.as_bytes().to_vec(), objects)).collect()
}
