//! The instructions that one connection carries out, and the pages of flows that wait for reports to go first.
//!
//! Invariant: no more is carried out at once than may be, and what is too much is answered at once. A page goes only when no
//! report is due. It does not know how anything is carried out.

use std::collections::VecDeque;

use onenet_wire::{AgentMessage, CentreMessage, InstructionBody, InstructionResult, Query, v1};
use tokio::{sync::mpsc, task::JoinSet};

use super::{Sent, UplinkError};

/// Instructions carried out at once. More are answered with an error: the centre asks again.
const MAX_INSTRUCTIONS: usize = 4;
/// Questions for flows and for parts of capture files, which are as large, that are worked on at once, the pages that wait to be sent included: half a second on a 2 Mbit/s line.
const MAX_FLOW_QUESTIONS: usize = 2;

/// The instructions of one connection.
#[derive(Default)]
pub(super) struct Work {
    pub(super) running: JoinSet<Carried>,
    flow_questions: usize,
    pages: VecDeque<InstructionResult>,
}

/// An instruction that was carried out.
pub(super) struct Carried {
    pub(super) asks_flows: bool,
    pub(super) result: InstructionResult,
}

impl Work {
    /// Takes note of an instruction that begins. Returns whether it asks for flows or a capture, or in words why it has to wait.
    pub(super) fn admit(&mut self, body: &InstructionBody) -> Result<bool, String> {
        if self.running.len() >= MAX_INSTRUCTIONS {
            return Err(format!("{MAX_INSTRUCTIONS} instructions are being carried out: ask again later"));
        }
        let asks_flows = matches!(body, InstructionBody::Query(Query::Flows(_) | Query::Capture(_)));
        if asks_flows {
            if self.flow_questions >= MAX_FLOW_QUESTIONS {
                return Err(format!(
                    "{MAX_FLOW_QUESTIONS} questions for flows or captures are being answered: ask again later"
                ));
            }
            self.flow_questions += 1;
        }
        Ok(asks_flows)
    }

    /// Takes note of an instruction that was carried out. Returns the answer, unless it has to wait for reports.
    pub(super) fn done(&mut self, carried: Carried) -> Option<InstructionResult> {
        let Carried { asks_flows, result } = carried;
        if asks_flows && result.outcome.is_ok() {
            self.pages.push_back(result);
            return None;
        }
        if asks_flows {
            self.flow_questions = self.flow_questions.saturating_sub(1);
        }
        Some(result)
    }

    /// Returns whether pages wait.
    pub(super) fn has_pages(&self) -> bool {
        !self.pages.is_empty()
    }

    /// Sends the pages that wait, as far as the line takes them. To be called when no report is due.
    pub(super) fn send_pages(&mut self, outbound: &mpsc::Sender<v1::AgentMessage>, sent: &Sent) {
        while self.has_pages()
            && let Ok(permit) = outbound.try_reserve()
            && let Some(page) = self.pages.pop_front()
        {
            let message = AgentMessage::Result(page).into();
            sent.count(&message);
            permit.send(message);
            self.flow_questions = self.flow_questions.saturating_sub(1);
        }
    }
}

/// Returns what the centre says. An instruction that this version does not know is answered, and no reason to hang up.
pub(super) fn understood(message: v1::CentreMessage) -> Result<Result<CentreMessage, InstructionResult>, UplinkError> {
    let id = match &message.body {
        Some(v1::centre_message::Body::Instruction(instruction)) => Some(instruction.id),
        _ => None,
    };
    match (CentreMessage::try_from(message), id) {
        (Ok(message), _) => Ok(Ok(message)),
        (Err(invalid), Some(id)) => {
            let outcome = Err(format!("this agent does not understand it ({invalid}): bring it up to date"));
            Ok(Err(InstructionResult { id, outcome }))
        }
        (Err(invalid), None) => Err(UplinkError::Invalid(invalid)),
    }
}

#[cfg(test)]
mod tests {
    use onenet_topology::{
        Timestamp,
        flow::{FlowPage, FlowQuery},
    };
    use onenet_wire::{Asker, Done, FlowsQuery};

    use super::*;

    fn question() -> InstructionBody {
        let time = Timestamp::from_unix_ms(0);
        let query = FlowQuery {
            from: time,
            until: time,
            endpoint: None,
            peer: None,
            port: None,
            protocol: None,
            application: None,
            limit: 1,
        };
        let asker = Asker { principal: "li".to_owned(), reason: "a case".to_owned() };
        InstructionBody::Query(Query::Flows(FlowsQuery { asker, query, after: None }))
    }

    fn carried(id: u64, outcome: Result<FlowPage, String>) -> Carried {
        let outcome = outcome.map(|page| Done { flows: Some(page), ..Done::default() });
        Carried { asks_flows: true, result: InstructionResult { id, outcome } }
    }

    #[test]
    fn a_page_waits_until_the_line_takes_it_and_counts_until_then() {
        let mut work = Work::default();
        let (outbound, mut sent) = mpsc::channel(1);
        assert_eq!([work.admit(&question()), work.admit(&question())], [Ok(true), Ok(true)]);
        assert!(work.admit(&question()).unwrap_err().contains("questions for flows"));
        assert_eq!(work.admit(&InstructionBody::Query(Query::Status)), Ok(false), "others are not held up");
        assert!(work.done(carried(1, Ok(FlowPage::default()))).is_none());
        assert!(work.done(carried(2, Ok(FlowPage::default()))).is_none());
        work.send_pages(&outbound, &Sent::default());
        assert!(work.has_pages(), "the line took one of two");
        assert_eq!(work.admit(&question()), Ok(true));
        assert!(work.admit(&question()).is_err());
        assert!(sent.try_recv().is_ok());
        work.send_pages(&outbound, &Sent::default());
        assert!(!work.has_pages());
        assert_eq!(work.admit(&question()), Ok(true));
    }

    #[test]
    fn a_question_that_failed_is_answered_at_once_and_makes_room() {
        let mut work = Work::default();
        assert_eq!([work.admit(&question()), work.admit(&question())], [Ok(true), Ok(true)]);
        let answer = work.done(carried(1, Err("no flows are kept".to_owned()))).unwrap();
        assert_eq!(answer.outcome, Err("no flows are kept".to_owned()));
        assert_eq!(work.admit(&question()), Ok(true));
    }

    #[test]
    fn an_instruction_of_a_newer_centre_is_answered_and_the_line_stays() {
        let unknown = v1::Instruction { id: 7, body: Some(v1::instruction::Body::Query(v1::Query { body: None })) };
        let message = v1::CentreMessage { body: Some(v1::centre_message::Body::Instruction(unknown)) };
        let answer = understood(message).unwrap().unwrap_err();
        assert_eq!(answer.id, 7);
        assert!(answer.outcome.unwrap_err().contains("bring it up to date"));
        assert!(understood(v1::CentreMessage { body: None }).is_err(), "what nobody can answer ends the line");
    }
}
