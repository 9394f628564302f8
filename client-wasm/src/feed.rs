//! Events on their way to whoever wants them: any number of readers, each with a bounded queue.

use core::cell::RefCell;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use std::collections::VecDeque;
use std::rc::{Rc, Weak};

use futures_util::Stream;

/// What a feed can carry.
pub(crate) trait Event: Clone {
    /// How much of a queue's limit it takes.
    fn weight(&self) -> usize {
        1
    }
}

/// A queue that loses its oldest events rather than grow without bound.
struct Queue<T> {
    events: VecDeque<T>,
    weight: usize,
    limit: usize,
}

impl<T: Event> Queue<T> {
    const fn new(limit: usize) -> Self {
        Self { events: VecDeque::new(), weight: 0, limit }
    }

    fn push(&mut self, event: T) {
        self.weight += event.weight();
        self.events.push_back(event);
        // The newest one stays, whatever it weighs.
        while self.weight > self.limit && self.events.len() > 1 {
            self.pop();
        }
    }

    fn pop(&mut self) -> Option<T> {
        let event = self.events.pop_front()?;
        self.weight -= event.weight();
        Some(event)
    }
}

/// Answers.
impl Event for () {}
impl Event for bool {}
impl<E: Clone> Event for Result<(), E> {}

/// One reader's side.
struct Reader<T> {
    queue: Queue<T>,
    waker: Option<Waker>,
    ended: bool,
}

impl<T> Reader<T> {
    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

/// Where events come in.
pub(crate) struct Feed<T>(RefCell<Source<T>>);

struct Source<T> {
    readers: Vec<Weak<RefCell<Reader<T>>>>,
    /// What came before the first reader did; it gets them.
    early: Option<Queue<T>>,
    limit: usize,
    ended: bool,
}

impl<T> Feed<T> {
    /// No more events: readers end when they have read what is there.
    pub(crate) fn end(&self) {
        let source = &mut *self.0.borrow_mut();
        source.ended = true;
        for reader in source.readers.drain(..).filter_map(|reader| reader.upgrade()) {
            let reader = &mut *reader.borrow_mut();
            reader.ended = true;
            reader.wake();
        }
    }
}

impl<T> Drop for Feed<T> {
    fn drop(&mut self) {
        self.end();
    }
}

impl<T: Event> Feed<T> {
    /// For one event: an answer.
    pub(crate) const fn once() -> Self {
        Self::new(usize::MAX, usize::MAX)
    }

    /// `limit` is the weight that may wait for a reader, `early` the weight that is kept for the
    /// first one.
    pub(crate) const fn new(limit: usize, early: usize) -> Self {
        Self(RefCell::new(Source {
            readers: Vec::new(),
            early: Some(Queue::new(early)),
            limit,
            ended: false,
        }))
    }

    /// Gives an event to every reader.
    pub(crate) fn push(&self, event: &T) {
        let source = &mut *self.0.borrow_mut();
        if let Some(early) = &mut source.early {
            early.push(event.clone());
        }
        source.readers.retain(|reader| {
            let Some(reader) = reader.upgrade() else { return false };
            let reader = &mut *reader.borrow_mut();
            reader.queue.push(event.clone());
            reader.wake();
            true
        });
    }

    /// A new reader. The first one also gets what came before it.
    pub(crate) fn subscribe(&self) -> Subscription<T> {
        let source = &mut *self.0.borrow_mut();
        let early = source.early.take().map(|early| early.events).unwrap_or_default();
        let mut queue = Queue::new(source.limit);
        early.into_iter().for_each(|event| queue.push(event));
        let reader = Rc::new(RefCell::new(Reader { queue, waker: None, ended: source.ended }));
        if !source.ended {
            source.readers.push(Rc::downgrade(&reader));
        }
        Subscription(reader)
    }
}

/// The events of a [`Feed`], in order.
pub(crate) struct Subscription<T>(Rc<RefCell<Reader<T>>>);

impl<T: Event> Stream for Subscription<T> {
    type Item = T;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        let reader = &mut *self.0.borrow_mut();
        match reader.queue.pop() {
            Some(event) => Poll::Ready(Some(event)),
            None if reader.ended => Poll::Ready(None),
            None => {
                reader.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{FutureExt, StreamExt};

    use super::*;

    impl Event for u32 {}
    impl Event for &'static str {
        fn weight(&self) -> usize {
            self.len()
        }
    }

    /// What can be read without waiting; the flag says whether the feed has ended.
    fn read<T: Event>(subscription: &mut Subscription<T>) -> (Vec<T>, bool) {
        let mut events = Vec::new();
        loop {
            match subscription.next().now_or_never() {
                Some(Some(event)) => events.push(event),
                Some(None) => return (events, true),
                None => return (events, false),
            }
        }
    }

    #[test]
    fn the_first_reader_gets_what_came_early_and_later_ones_do_not() {
        let feed = Feed::new(10, 2);
        (1..=3_u32).for_each(|event| feed.push(&event));
        let (mut first, mut second) = (feed.subscribe(), feed.subscribe());
        feed.push(&4);
        assert_eq!(read(&mut first), (vec![2, 3, 4], false));
        assert_eq!(read(&mut second), (vec![4], false));
    }

    #[test]
    fn a_slow_reader_loses_the_oldest_but_never_the_newest() {
        let feed = Feed::new(4, 0);
        let mut slow = feed.subscribe();
        for event in ["a", "bb", "cc"] {
            feed.push(&event);
        }
        assert_eq!(read(&mut slow), (vec!["bb", "cc"], false));
        feed.push(&"longer than the limit");
        assert_eq!(read(&mut slow), (vec!["longer than the limit"], false));
    }

    #[test]
    fn an_ended_feed_is_read_to_its_end() {
        let feed = Feed::new(10, 10);
        let mut reader = feed.subscribe();
        feed.push(&1_u32);
        feed.end();
        assert_eq!(read(&mut reader), (vec![1], true));
        assert_eq!(read(&mut feed.subscribe()), (vec![], true));
    }
}
