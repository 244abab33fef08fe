//! What one process can ask another for, and how it is asked step by step.

use crate::end::{self, End, sweep};
use crate::items::{Content, Host, NIL, object, small};
use crate::requests::Request;
use crate::sharing::shareable_vector;
use std::time::{Duration, Instant};
use vmshare::ffi::graph::RS_WHOLE;
use vmshare::host::contract::rs_value;
use vmshare::host::exchange::*;
use vmshare::status::*;

/// How far the one that will be killed has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Phase {
    /// It prepares, or has not begun.
    Elsewhere,
    /// The asker is about to begin the request.
    BeforeBegin,
    /// It is in the call that begins it.
    InBegin,
    /// The request is begun, and not yet waited for.
    Between,
    /// The asker waits for the answer, or reads it.
    InFinish,
    /// The owner's event loop has been woken.
    Woken,
    /// The owner serves, and its host has not been asked to do anything.
    BeforeOperate,
    /// The owner's host carries the operation out.
    InOperate,
    /// The host has carried it out, and the owner serves on.
    AfterOperate,
}

/// Everything that can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    ReadVariable,
    WriteVariable,
    ReadElement,
    WriteElement,
    ExchangeElement,
    ReadKey,
    WriteKey,
    ReadLength,
    Print,
    Call,
    Equal,
    Copy,
    /// The image of a small shareable graph.
    ShareSmall,
    /// That of a large one, which comes as a descriptor.
    ShareLarge,
    Path,
    Batch,
    /// Operations of one request.
    Together,
    Evacuation,
    Fetch,
    Release,
}

/// Requests of a batch.
const BATCH: u64 = 8;

use Kind::*;

impl Kind {
    /// The owner's host carries it out, or puts copies in the place of references.
    pub fn operates(self) -> bool {
        !matches!(self, Copy | ShareSmall | ShareLarge | Fetch | Release)
    }

    /// It is one call, which begins, waits and finishes; or waits for nothing.
    pub fn is_one_call(self) -> bool {
        matches!(
            self,
            Copy | ShareSmall | ShareLarge | Path | Together | Evacuation | Fetch | Release
        )
    }

    /// The link is closed by it.
    pub fn closes(self) -> bool {
        matches!(self, Evacuation | Fetch)
    }

    /// The phases that the one that asks goes through.
    pub fn phases_of_asker(self) -> &'static [Phase] {
        match self {
            Release => &[Phase::BeforeBegin, Phase::InBegin],
            _ if self.is_one_call() => &[Phase::BeforeBegin, Phase::InBegin, Phase::InFinish],
            _ => &[
                Phase::BeforeBegin,
                Phase::InBegin,
                Phase::Between,
                Phase::InFinish,
            ],
        }
    }

    /// The phases that the one that is asked goes through.
    pub fn phases_of_owner(self) -> &'static [Phase] {
        match self {
            Evacuation => &[Phase::Woken, Phase::BeforeOperate, Phase::InOperate],
            _ if self.operates() => &[
                Phase::Woken,
                Phase::BeforeOperate,
                Phase::InOperate,
                Phase::AfterOperate,
            ],
            _ => &[Phase::Woken, Phase::BeforeOperate],
        }
    }
}

/// Elements of a vector whose image is not worth sending: it comes as a descriptor.
const LARGE: i64 = 1500;

/// What the owner lets its peer name.
pub fn export_everything(owner: &End, kind: Kind) {
    let host = &owner.host;
    let length = match kind {
        ShareLarge => LARGE,
        _ => 3,
    };
    owner.export("shareable", shareable_vector(host, length), RS_CAN_READ);
    let cons = host.make(Content::Cons([NIL, NIL]));
    let map = host.make(Content::Map(0, Vec::new()));
    let vector = host.make(Content::Vector(Vec::new()));
    for (name, value) in [("cons", cons), ("map", map), ("vector", vector)] {
        owner.export(name, value, RS_CAN_ALL);
        let name = name.as_bytes().to_vec();
        host.variables.borrow_mut().insert(name, value);
    }
    owner.export("call-back", host.function(call_back), RS_CAN_ALL);
    owner.export("reset", host.function(reset), RS_CAN_ALL);
    fill(host);
}

/// Everything is again as it was at first, and refers to nothing of the peer.
fn reset(host: &Host, _link: rs_link, _arguments: &[rs_value]) -> Result<rs_value, rs_status> {
    fill(host);
    sweep(host, |_| false);
    Ok(NIL)
}

fn fill(host: &Host) {
    let mut variables = host.variables.borrow_mut();
    variables.insert(b"free".to_vec(), small(5));
    let [cons, map, vector] = [&b"cons"[..], b"map", b"vector"].map(|name| variables[name]);
    let place = |value| object(value).content.borrow_mut();
    *place(cons) = Content::Cons([small(1), NIL]);
    *place(map) = Content::Map(0, vec![small(1), small(2)]);
    *place(vector) = Content::Vector(vec![cons, map, NIL, NIL, NIL, NIL, NIL, NIL]);
}

/// Calls the peer's function inside of its call.
fn call_back(host: &Host, link: rs_link, arguments: &[rs_value]) -> Result<rs_value, rs_status> {
    end::call(host, link, arguments[0], &[])
}

fn called_back(_: &Host, _: rs_link, _: &[rs_value]) -> Result<rs_value, rs_status> {
    Ok(small(3))
}

/// How a request has ended.
pub struct Answer {
    /// The `index` of its operation.
    pub index: u64,
    pub outcome: Result<rs_value, rs_status>,
    /// What `rs_link_error` says.
    pub text: String,
    pub at: Instant,
}

/// The one that asks, with what it needs for every kind of request.
pub struct Asker<'a> {
    pub end: &'a End,
    cons: rs_value,
    map: rs_value,
    vector: rs_value,
    shareable: rs_value,
    own: rs_value,
    function: rs_value,
}

impl<'a> Asker<'a> {
    /// Each side refers to an object of the other already.
    pub fn new(end: &'a End) -> Asker<'a> {
        let variable = |name| end.variable(name).unwrap();
        let asker = Asker {
            end,
            cons: variable("cons"),
            map: variable("map"),
            vector: variable("vector"),
            shareable: variable("shareable"),
            own: end.host.make(Content::Cons([NIL, NIL])),
            function: end.host.function(called_back),
        };
        let lent = end.host.make(Content::Cons([asker.cons, NIL]));
        end.set(asker.vector, 7, lent).unwrap();
        asker
    }

    /// Anything, of a peer that is known to be dead.
    pub fn ask_once_more(&self) -> Answer {
        let outcome = self.end.get(self.cons, RS_CAR);
        self.answer(RS_CAR, outcome)
    }

    /// Makes a request, and tells how far it has come.
    pub fn ask(&self, kind: Kind, reach: &dyn Fn(Phase)) -> Vec<Answer> {
        let (own, here) = ([self.own], [small(0), self.own]);
        let one = |target, code, index, arguments| {
            vec![self.finish(
                reach,
                index,
                self.begin(reach, target, Request::new(code, index, arguments)),
            )]
        };
        match kind {
            ReadVariable => {
                vec![self.by_name(reach, Request::named(RS_READ_VARIABLE, "free", &[]))]
            }
            WriteVariable => {
                vec![self.by_name(reach, Request::named(RS_WRITE_VARIABLE, "free", &own))]
            }
            ReadElement => one(self.vector, RS_READ_ELEMENT, 7, &[]),
            WriteElement => one(self.cons, RS_WRITE_ELEMENT, RS_CAR, &own),
            ExchangeElement => one(self.vector, RS_EXCHANGE_ELEMENT, 2, &[NIL, self.own]),
            ReadKey => one(self.map, RS_READ_KEY, 0, &here),
            WriteKey => one(self.map, RS_WRITE_KEY, 0, &here),
            ReadLength => one(self.vector, RS_READ_LENGTH, 0, &[]),
            Print => one(self.cons, RS_PRINT, 40, &[]),
            Equal => one(self.cons, RS_EQUAL, 0, &[self.cons]),
            Call => {
                let arguments = [self.function];
                vec![self.by_name(reach, Request::named(RS_CALL, "call-back", &arguments))]
            }
            Copy => vec![self.in_one_call(reach, || self.end.copy_to(self.vector, RS_WHOLE))],
            ShareSmall | ShareLarge => vec![self.in_one_call(reach, || self.share())],
            Path => {
                let steps = [0, RS_CAR];
                vec![self.in_one_call(reach, || self.end.path(self.vector, &steps))]
            }
            Batch => self.batch(reach),
            Together => self.together(reach),
            Evacuation => vec![self.close(reach, RS_LINK_EVACUATE)],
            Fetch => vec![self.close(reach, RS_LINK_FETCH)],
            Release => {
                self.in_one_call(reach, || {
                    self.end.sweep(|value| value == self.cons);
                    self.end.try_serve(Duration::ZERO).map(|_| NIL)
                });
                Vec::new()
            }
        }
    }

    fn begin(
        &self,
        reach: &dyn Fn(Phase),
        target: rs_value,
        request: Request,
    ) -> Result<u64, rs_status> {
        reach(Phase::InBegin);
        let number = self.end.begin(target, request);
        reach(Phase::Between);
        number
    }

    fn by_name(&self, reach: &dyn Fn(Phase), request: Request) -> Answer {
        reach(Phase::InBegin);
        let number = self.end.begin_by_name(request);
        reach(Phase::Between);
        self.finish(reach, 0, number)
    }

    fn finish(&self, reach: &dyn Fn(Phase), index: u64, number: Result<u64, rs_status>) -> Answer {
        reach(Phase::InFinish);
        let outcome = number.and_then(|number| self.end.finish(number));
        self.answer(index, outcome)
    }

    fn batch(&self, reach: &dyn Fn(Phase)) -> Vec<Answer> {
        reach(Phase::InBegin);
        let own = [self.own];
        let begin = |index| {
            let request = Request::new(RS_WRITE_ELEMENT, index, &own);
            self.end.begin(self.vector, request)
        };
        let numbers: Vec<Result<u64, rs_status>> = (0..BATCH).map(begin).collect();
        reach(Phase::Between);
        let answers = (0..).zip(numbers);
        answers
            .map(|(index, number)| self.finish(reach, index, number))
            .collect()
    }

    fn together(&self, reach: &dyn Fn(Phase)) -> Vec<Answer> {
        reach(Phase::InBegin);
        let own = [self.own];
        let write = |index| Request::new(RS_WRITE_ELEMENT, index, &own);
        let requests: Vec<Request> = (0..BATCH).map(write).collect();
        let outcomes = self.end.batch(self.vector, &requests);
        let answers = (0..).zip(outcomes);
        answers
            .map(|(index, outcome)| self.answer(index, outcome))
            .collect()
    }

    fn in_one_call(
        &self,
        reach: &dyn Fn(Phase),
        call: impl FnOnce() -> Result<rs_value, rs_status>,
    ) -> Answer {
        reach(Phase::InBegin);
        let outcome = call();
        self.answer(0, outcome)
    }

    fn share(&self) -> Result<rs_value, rs_status> {
        let image = self.end.share(self.shareable)?;
        assert_eq!(self.end.host.free(image), RS_OK);
        Ok(NIL)
    }

    fn answer(&self, index: u64, outcome: Result<rs_value, rs_status>) -> Answer {
        Answer {
            at: Instant::now(),
            index,
            outcome,
            text: self.end.error().1,
        }
    }

    /// Closes the link, which has no error to tell afterwards.
    fn close(&self, reach: &dyn Fn(Phase), flags: u32) -> Answer {
        reach(Phase::InBegin);
        let outcome = self.end.close_with(flags).map(|()| NIL);
        Answer {
            at: Instant::now(),
            index: 0,
            outcome,
            text: "unknown".into(),
        }
    }
}
