//! Ending whoever asks the fake, at a chosen moment of that.

use std::process::{Child, ExitStatus};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What one request to come falls into.
pub struct Trap {
    /// Requests that go by before.
    pub before: usize,
    pub when: When,
    pub victim: Victim,
}

/// The moment.
#[derive(Clone, Copy, Debug)]
pub enum When {
    /// The request was read; nothing is done.
    Asked,
    /// It is done; nothing was answered.
    Done,
    /// A while after the answer.
    Answered(Duration),
}

/// A program that is to be killed, as by `kill -9`, once it is known.
#[derive(Clone, Default)]
pub struct Victim(Arc<(Mutex<Option<Child>>, Condvar)>);

impl Victim {
    /// This one it is.
    pub fn is(&self, child: Child) {
        *self.child() = Some(child);
        self.0.1.notify_all();
    }

    /// Kills it; not what took its number after it ended.
    pub fn kill(&self) {
        let known = self.0.1.wait_while(self.child(), |child| child.is_none());
        if let Some(child) = known.unwrap_or_else(PoisonError::into_inner).as_mut() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// How it ended. Waits for that.
    pub fn ended(&self) -> ExitStatus {
        let mut child = self.child();
        child.as_mut().expect("it is known").wait().expect("it ends")
    }

    fn child(&self) -> MutexGuard<'_, Option<Child>> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
