//! Words of a request and of its answer go to another process and back by iceoryx2: by a service in each
//! direction, over which one publishes and the other one subscribes. That takes two thirds of the time of its
//! services for requests.
//!
//! ```text
//! bench-iceoryx2 ROUNDS
//! ```
//!
//! Both processes spin, each on a processor of its own. What is asked for is the element of a vector, as
//! `bench-remote` asks it (c-tests/bench/remote_calls.c), and a figure is made and printed as there.

use iceoryx2::port::{publisher::Publisher, subscriber::Subscriber};
use iceoryx2::prelude::*;
use std::error::Error;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

const ELEMENTS: u64 = 1000;
/// Calls between two looks at the clock.
const BLOCK: u64 = 100;
const BLOCKS: usize = 200;

/// Words, of which number 4 is the element that is asked for.
type Request = [u64; 8];
/// Words, of which number 2 is the element.
type Answer = [u64; 3];
/// Instead of an element: there will be no more questions.
const END: u64 = u64::MAX;

/// How long a process waits for the other one. It has died, if that is not enough.
const PATIENCE: Duration = Duration::from_secs(10);

type Outcome<T> = Result<T, Box<dyn Error>>;

/// A service of what is sent in one direction.
type Service<T> =
    iceoryx2::service::port_factory::publish_subscribe::PortFactory<ipc::Service, T, ()>;

fn requests(node: &Node<ipc::Service>, name: &str) -> Outcome<Service<Request>> {
    let name = format!("{name}/requests");
    let builder = node.service_builder(&name.as_str().try_into()?);
    Ok(builder.publish_subscribe::<Request>().open_or_create()?)
}

fn answers(node: &Node<ipc::Service>, name: &str) -> Outcome<Service<Answer>> {
    let name = format!("{name}/answers");
    let builder = node.service_builder(&name.as_str().try_into()?);
    Ok(builder.publish_subscribe::<Answer>().open_or_create()?)
}

/// Spins until there is something.
fn wait_for<T>(mut look: impl FnMut() -> Outcome<Option<T>>) -> Outcome<T> {
    let begun = Instant::now();
    loop {
        for _ in 0..1000 {
            if let Some(found) = look()? {
                return Ok(found);
            }
        }
        if begun.elapsed() > PATIENCE {
            return Err("the other process does not answer".into());
        }
    }
}

fn send<T: Copy + std::fmt::Debug + ZeroCopySend>(
    port: &Publisher<ipc::Service, T, ()>,
    words: T,
) -> Outcome<()> {
    port.loan_uninit()?.write_payload(words).send()?;
    Ok(())
}

fn receive<T: Copy + std::fmt::Debug + ZeroCopySend>(
    port: &Subscriber<ipc::Service, T, ()>,
) -> Outcome<T> {
    wait_for(|| Ok(port.receive()?.map(|sample| *sample)))
}

/// The process that is asked.
fn answer(name: &str) -> Outcome<()> {
    let node = NodeBuilder::new().create::<ipc::Service>()?;
    let elements: Vec<u64> = (0..ELEMENTS).collect();
    let publisher = answers(&node, name)?.publisher_builder().create()?;
    let subscriber = requests(&node, name)?.subscriber_builder().create()?;
    run_on(1);
    loop {
        let request = receive(&subscriber)?;
        if request[4] == END {
            return Ok(());
        }
        send(&publisher, [request[0], 0, elements[request[4] as usize]])?;
    }
}

/// The process that asks.
struct Asker {
    publisher: Publisher<ipc::Service, Request, ()>,
    subscriber: Subscriber<ipc::Service, Answer, ()>,
    answering: Child,
}

impl Asker {
    /// With another process, which answers.
    fn new(name: &str) -> Outcome<Asker> {
        let node = NodeBuilder::new().create::<ipc::Service>()?;
        let (requests, answers) = (requests(&node, name)?, answers(&node, name)?);
        let asker = Asker {
            publisher: requests.publisher_builder().create()?,
            subscriber: answers.subscriber_builder().create()?,
            answering: Command::new(std::env::current_exe()?)
                .args(["answer", name])
                .spawn()?,
        };
        run_on(0);
        wait_for(|| {
            let is_there = requests.dynamic_config().number_of_subscribers() > 0;
            Ok(is_there.then_some(()))
        })?;
        Ok(asker)
    }

    fn get(&self, index: u64) -> Outcome<()> {
        send(&self.publisher, [1, END, 3, 1, index, 0, 0, 0])?;
        match receive(&self.subscriber)?[2] == index {
            true => Ok(()),
            false => Err("the wrong element".into()),
        }
    }

    /// Nanoseconds of a call, in the median of many blocks; the first one warms up.
    fn time(&self) -> Outcome<f64> {
        let mut blocks = Vec::new();
        for _ in 0..=BLOCKS {
            let begun = Instant::now();
            for call in 0..BLOCK {
                self.get(call)?;
            }
            blocks.push(begun.elapsed().as_nanos() as f64 / BLOCK as f64);
        }
        let warm = &mut blocks[1..];
        warm.sort_by(f64::total_cmp);
        Ok(warm[BLOCKS / 2])
    }

    fn close(mut self) -> Outcome<()> {
        send(&self.publisher, [1, END, 3, 1, END, 0, 0, 0])?;
        self.answering.wait()?;
        Ok(())
    }
}

/// From now on this process runs on one processor, if there is such a one.
fn run_on(processor: usize) {
    // SAFETY: a set of no processors is all zero; it is this frame's.
    unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        libc::CPU_SET(processor, &mut set);
        libc::sched_setaffinity(0, size_of_val(&set), &set);
    }
}

fn main() -> Outcome<()> {
    set_log_level(LogLevel::Error);
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match &arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["answer", name] => answer(name),
        [rounds] => {
            let asker = Asker::new(&format!("vmshare/bench/{}", std::process::id()))?;
            let rounds = rounds.parse()?;
            let samples = (0..rounds).map(|_: usize| asker.time());
            let samples = samples.collect::<Outcome<Vec<f64>>>()?;
            println!(
                r#"{{"figure": "iceoryx2", "unit": "ns", "ours": {samples:?}, "beside": {{}}}}"#
            );
            asker.close()
        }
        _ => Err("usage: bench-iceoryx2 ROUNDS".into()),
    }
}
