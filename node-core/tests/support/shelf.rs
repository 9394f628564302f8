//! [`Memory`] behind the traits of a store, for tests that ask any store the same questions.

use std::cell::RefCell;
use std::convert::Infallible;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use pigeonhub_node_core::{AtHand, Change, Facts, Mail, MailSeq, Mailroom, Memory, Needs, SessionId, Store};
use pigeonhub_protocol::{NetworkName, NodeId, PeerId};

/// A memory that many may ask, and the nodes that can be reached.
#[derive(Debug, Default)]
pub struct Shelf {
    pub memory: RefCell<Memory>,
    pub nodes: RefCell<Vec<NodeId>>,
}

impl AtHand for Shelf {
    fn load(&self, needs: &Needs) -> Facts {
        let nodes = self.nodes.borrow().iter().filter(|_| needs.nodes).cloned().collect();
        Facts { nodes, ..self.memory.borrow_mut().load(needs) }
    }

    fn commit(&self, network: &NetworkName, changes: Vec<Change>) {
        self.memory.borrow_mut().commit(network, changes);
    }
}

impl Store for Shelf {
    type Error = Infallible;

    async fn load(&self, needs: &Needs) -> Result<Facts, Infallible> {
        Ok(AtHand::load(self, needs))
    }

    async fn commit(&self, network: &NetworkName, changes: Vec<Change>) -> Result<(), Infallible> {
        AtHand::commit(self, network, changes);
        Ok(())
    }
}

impl Mailroom for Shelf {
    async fn read(
        &self,
        network: &NetworkName,
        peer: PeerId,
        session: SessionId,
        cursor: MailSeq,
        most: usize,
    ) -> Result<Vec<(MailSeq, Mail)>, Infallible> {
        Ok(self.memory.borrow_mut().read(network, peer, session, cursor, most))
    }

    async fn acknowledge(
        &self,
        network: &NetworkName,
        peer: PeerId,
        session: SessionId,
        cursor: MailSeq,
    ) -> Result<(), Infallible> {
        self.memory.borrow_mut().acknowledge(network, peer, session, cursor);
        Ok(())
    }
}

/// The result of a future that never waits.
pub fn at_once<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("the store waits for something"),
    }
}
