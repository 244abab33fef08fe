//! Two vms, and every handle that they have given out.

mod images;
mod links;
mod sharing;

use crate::items::{Content, Host, Moment, NIL, object, small};
use crate::script::Script;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use vmshare::ffi::link::rs_link_serve;
use vmshare::ffi::walk::rs_walk_abort;
use vmshare::host::contract::{rs_ractor, rs_value, rs_vm};
use vmshare::host::exchange::{rs_link, rs_link_end};
use vmshare::status::*;

/// Nanoseconds that anything waits.
const SHORTLY: u64 = 200_000;

/// How often one vm serves inside of the other's wait.
const DEEPEST: u32 = 3;

pub struct World<'a> {
    script: &'a Script,
    sides: [Side; 2],
    /// All ids ever given out, of whatever kind and vm.
    ids: Vec<u64>,
    /// Ends that nobody has taken up.
    ends: Vec<rs_link_end>,
}

/// One vm.
pub struct Side {
    host: Box<Host>,
    ractors: Vec<rs_ractor>,
    links: Rc<RefCell<Vec<rs_link>>>,
    values: Vec<rs_value>,
    requests: Vec<u64>,
}

impl Side {
    fn new() -> Side {
        let host = Host::new(true);
        let cons = host.make(Content::Cons([small(1), NIL]));
        let map = host.make(Content::Map(0, vec![small(1), cons]));
        let vector = host.make(Content::Vector(vec![cons, map, cons, NIL]));
        let record = host.make(Content::Record(b"point".to_vec(), vec![vector, cons]));
        let file = host.make(Content::File);
        Side {
            ractors: vec![host.main],
            host,
            links: Rc::default(),
            values: vec![cons, map, vector, record, file],
            requests: Vec::new(),
        }
    }

    fn vm(&self) -> *mut rs_vm {
        self.host.vm
    }
}

/// While one side waits, the other one serves.
fn serve_meanwhile(waits: &Side, serves: &Side) {
    let depth = Cell::new(0);
    let (vm, links) = (serves.vm(), serves.links.clone());
    *waits.host.observer.borrow_mut() = Some(Box::new(move |moment| {
        if moment != Moment::Waits || depth.get() >= DEEPEST {
            return;
        }
        depth.set(depth.get() + 1);
        let all = links.borrow().clone();
        for link in all {
            // SAFETY: any id may be given; both vms live as long as the observers.
            unsafe { rs_link_serve(vm, link, 0) };
        }
        depth.set(depth.get() - 1);
    }));
}

/// Not left behind by a failure, with elements that were never set: no program sees such an object.
fn is_whole(value: rs_value) -> bool {
    match &*object(value).content.borrow() {
        Content::Cons(elements) => !elements.contains(&0),
        Content::Vector(elements) | Content::Map(_, elements) | Content::Record(_, elements) => {
            !elements.contains(&0)
        }
        _ => true,
    }
}

impl<'a> World<'a> {
    pub fn new(script: &'a Script) -> World<'a> {
        let sides = [Side::new(), Side::new()];
        serve_meanwhile(&sides[0], &sides[1]);
        serve_meanwhile(&sides[1], &sides[0]);
        let ids = vec![0, u64::MAX, sides[0].host.main, sides[1].host.main];
        let mut world = World {
            script,
            sides,
            ids,
            ends: Vec::new(),
        };
        if script.below(4) != 0 {
            world.connect();
        }
        world
    }

    /// Makes one call.
    pub fn call(&mut self) {
        let side = self.script.below(2);
        let status = match self.script.below(8) {
            0..5 => self.call_link(side),
            5 => self.call_image(side),
            _ => self.call_sharing(side),
        };
        assert!(status != RS_ERR_PANIC && status != RS_ERR_POISONED);
    }

    /// Any id.
    fn id(&self) -> u64 {
        match self.script.below(8) {
            0 => self.script.word(),
            // One that is like another.
            1 => self.script.pick(&self.ids).unwrap_or(0) ^ 1 << self.script.below(64),
            2 => self.script.pick(&self.ids).unwrap_or(0),
            _ => self.ids[self.ids.len() - 1 - self.script.below(8) % self.ids.len()],
        }
    }

    fn keep(&mut self, status: rs_status, id: u64) -> rs_status {
        if matches!(status, RS_OK | RS_MORE) {
            self.ids.push(id);
        }
        status
    }

    /// A vm may not be ended in the middle of a walk.
    fn end_walks(&self, side: &Side) {
        for walk in &self.ids {
            // SAFETY: any id may be given.
            unsafe { rs_walk_abort(side.vm(), *walk) };
        }
    }

    fn ractor(&self, side: usize) -> rs_ractor {
        match self.script.below(4) {
            0 => self.id(),
            1 => self.script.pick(&self.sides[side].ractors).unwrap_or(0),
            _ => self.sides[side].host.main,
        }
    }

    /// A value of a side, which may only be asked about its own.
    fn value(&self, side: usize) -> rs_value {
        let own = &self.sides[side];
        match self.script.below(4) {
            0 => small(i64::from(self.script.byte())),
            1 => {
                let mut all = own.host.values();
                all.retain(|value| is_whole(*value));
                self.script.pick(&all).unwrap_or(NIL)
            }
            _ => self.script.pick(&own.values).unwrap_or(NIL),
        }
    }

    fn values(&self, side: usize) -> Vec<rs_value> {
        let count = self.script.below(4);
        (0..count).map(|_| self.value(side)).collect()
    }

    /// All memory is given back, whatever was closed before.
    pub fn end(self) {
        for side in &self.sides {
            *side.host.observer.borrow_mut() = None;
            side.host.allocations_left.set(-1);
            self.end_walks(side);
        }
        for end in &self.ends {
            // SAFETY: nobody has taken them.
            unsafe {
                libc::close(end.segment);
                libc::close(end.socket);
            }
        }
    }
}
