//! What a peer refers to: objects of this process, kept alive by a table that no peer can see.
//!
//! The peer names a pin by a number: the place in the table and its generation, which changes each
//! time that the place is used again; so a number that was given back names nothing, for ever, and
//! never another object. Each time that a reference is sent, its count goes up; a peer that lets
//! go of its own object says how many references that one had received. So a release that crosses a
//! reference under way leaves the pin where it is. An object has one pin on a link, however often it
//! is sent: the peer gets the same reference.

use crate::host::callbacks::NO_SITE;
use crate::host::contract::{rs_site, rs_value};
use crate::host::exchange::rs_pin;
use crate::host::memory::{HostAllocator, Map, Vec, insert, push};
use crate::status::{
    RS_ERR_ARGUMENT, RS_ERR_LIMIT, RS_ERR_MEMORY, RS_ERR_PEER, RS_ERR_STALE, rs_status,
};

/// The last generation of a place; then it is not used any more. Small under test.
const LAST_GENERATION: u32 = if cfg!(test) { 3 } else { u32::MAX };

/// What a pin lets its peer do, and to what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pin {
    /// The object; 0 for a place that is free.
    pub object: rs_value,
    /// `RS_CAN_…`.
    pub rights: u8,
    /// The peer wants to hear of the next change.
    is_watched: bool,
    /// The operation in whose answer the peer got it; 0: in another way.
    code: u16,
    generation: u32,
    /// References that were sent, less those that were given back.
    count: u64,
    /// [`Pins::cut`] when the last one was sent.
    sent: u32,
}

/// In the place of an object that was revoked: no object is there.
const REVOKED: rs_value = 1;

impl Pin {
    fn is_live(&self) -> bool {
        self.object > REVOKED
    }
}

/// The pins of one link.
pub struct Pins {
    places: Vec<Pin>,
    /// Where the program stood when each was taken; empty if nobody wants to know.
    sites: Vec<rs_site>,
    has_sites: bool,
    free: Vec<u32>,
    /// The place of each object.
    of_object: Map<rs_value, u32>,
    /// Pins that lead to nothing, and were not given back yet.
    revoked: usize,
    most: usize,
    /// How often a round of finding cycles has begun.
    cut: u32,
}

fn number(index: u32, generation: u32) -> u64 {
    u64::from(generation) << 32 | u64::from(index)
}

impl Pins {
    /// None, and never more than so many.
    pub fn new(most: usize, has_sites: bool, allocator: HostAllocator) -> Self {
        Pins {
            places: Vec::new_in(allocator),
            sites: Vec::new_in(allocator),
            has_sites,
            free: Vec::new_in(allocator),
            of_object: Map::with_hasher_in(Default::default(), allocator),
            revoked: 0,
            cut: 0,
            most: most.min(u32::MAX as usize),
        }
    }

    /// How many objects are pinned.
    pub fn len(&self) -> usize {
        self.of_object.len()
    }

    /// Whether nothing is pinned.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A reference to an object is being sent: its number. What the peer may do already, it still may.
    /// A new pin remembers the operation, and the place that `site` says if that is wanted.
    pub fn send(
        &mut self,
        object: rs_value,
        rights: u32,
        code: u32,
        site: rs_site,
    ) -> Result<u64, rs_status> {
        if let Some(&index) = self.of_object.get(&object) {
            let pin = &mut self.places[index as usize];
            pin.count += 1;
            pin.sent = self.cut;
            pin.rights |= rights as u8;
            return Ok(number(index, pin.generation));
        }
        if self.len() + self.revoked >= self.most {
            return Err(RS_ERR_LIMIT);
        }
        let index = self.free_place()?;
        if let Err(status) = insert(&mut self.of_object, object, index) {
            self.free.push(index);
            return Err(status);
        }
        let pin = &mut self.places[index as usize];
        pin.object = object;
        pin.rights = rights as u8;
        pin.is_watched = false;
        pin.code = code as u16;
        pin.count = 1;
        pin.sent = self.cut;
        if let Some(place) = self.sites.get_mut(index as usize) {
            *place = site;
        }
        Ok(number(index, pin.generation))
    }

    fn free_place(&mut self) -> Result<u32, rs_status> {
        if let Some(index) = self.free.pop() {
            return Ok(index);
        }
        // The list of free places must be able to take each place: giving back never fails.
        let wanted = self.places.len() + 1 - self.free.len();
        self.free.try_reserve(wanted).map_err(|_| RS_ERR_MEMORY)?;
        let pin = Pin {
            object: 0,
            rights: 0,
            is_watched: false,
            code: 0,
            generation: 1,
            count: 0,
            sent: 0,
        };
        if self.has_sites {
            self.sites.try_reserve(1).map_err(|_| RS_ERR_MEMORY)?;
        }
        push(&mut self.places, pin)?;
        if self.has_sites {
            self.sites.push(NO_SITE);
        }
        Ok((self.places.len() - 1) as u32)
    }

    /// What a number names. `RS_ERR_STALE` if that was given back, or never was.
    pub fn get(&self, number: u64) -> Result<&Pin, rs_status> {
        let pin = self.places.get(number as u32 as usize);
        pin.filter(|pin| pin.is_live() && u64::from(pin.generation) == number >> 32)
            .ok_or(RS_ERR_STALE)
    }

    /// The peer gives back so many references. `RS_ERR_PEER` if it never had as many.
    pub fn release(&mut self, number: u64, count: u64) -> Result<(), rs_status> {
        let place = self.places.get(number as u32 as usize);
        let pin = place
            .filter(|pin| pin.count != 0 && u64::from(pin.generation) == number >> 32)
            .ok_or(RS_ERR_PEER)?;
        let left = pin.count.checked_sub(count).ok_or(RS_ERR_PEER)?;
        let index = number as u32;
        let pin = &mut self.places[index as usize];
        pin.count = left;
        if left == 0 {
            match pin.is_live() {
                true => drop(self.of_object.remove(&pin.object)),
                false => self.revoked -= 1,
            }
            pin.object = 0;
            if pin.generation < LAST_GENERATION {
                pin.generation += 1;
                self.free.push(index);
            }
        }
        Ok(())
    }

    /// One reference has come home in an answer that is read later: until it is released, the pin stays. A
    /// number that names nothing holds nothing.
    pub fn hold(&mut self, number: u64) {
        let place = self.places.get_mut(number as u32 as usize);
        if let Some(pin) = place
            && pin.count != 0
            && u64::from(pin.generation) == number >> 32
        {
            pin.count += 1;
        }
    }

    /// The peer wants to hear of the next change of an object; returns whether that is new.
    pub fn watch(&mut self, object: rs_value) -> bool {
        match self.of_object.get(&object) {
            Some(&index) => !core::mem::replace(&mut self.places[index as usize].is_watched, true),
            None => false,
        }
    }

    /// An object has changed: its number, if the peer wants to hear of that. What stands for it there may come back
    /// to life by that, as by a reference.
    pub fn end_watch(&mut self, object: rs_value) -> Option<u64> {
        let &index = self.of_object.get(&object)?;
        let pin = &mut self.places[index as usize];
        pin.sent = self.cut;
        core::mem::take(&mut pin.is_watched).then(|| number(index, pin.generation))
    }

    /// The peer's references to an object lead to nothing from now on. They are still counted: the peer
    /// will give them back.
    pub fn revoke(&mut self, object: rs_value) -> Result<(), rs_status> {
        let index = self.of_object.remove(&object).ok_or(RS_ERR_ARGUMENT)?;
        self.places[index as usize].object = REVOKED;
        self.revoked += 1;
        Ok(())
    }

    /// A round of finding cycles begins: references that are sent from now on are told from those before.
    pub fn begin_cut(&mut self) {
        self.cut = self.cut.wrapping_add(1);
    }

    /// Lets go of an object that no process needed at the cut, as [`revoke`](Pins::revoke) does; unless it was
    /// given back since, or sent once more. Returns whether it did.
    pub fn let_go(&mut self, number: u64) -> bool {
        match self.get(number) {
            Ok(pin) if pin.sent != self.cut => self.revoke(pin.object).is_ok(),
            _ => false,
        }
    }

    /// Every pin, with its number.
    pub fn iter(&self) -> impl Iterator<Item = (u64, &Pin)> {
        let numbered = self.places.iter().enumerate();
        numbered
            .filter(|(_, pin)| pin.is_live())
            .map(|(index, pin)| (number(index as u32, pin.generation), pin))
    }

    /// Tells of each pin, with how many there were before; returns how many there are.
    pub fn describe(&self, mut tell: impl FnMut(usize, rs_pin)) -> usize {
        let mut told = 0;
        for (number, pin) in self.iter() {
            let site = self.sites.get(number as u32 as usize);
            let description = rs_pin {
                object: pin.object,
                number,
                references: pin.count,
                rights: u32::from(pin.rights),
                code: u32::from(pin.code),
                site: site.copied().unwrap_or(NO_SITE),
            };
            tell(told, description);
            told += 1;
        }
        told
    }

    /// Lets go of everything.
    pub fn clear(&mut self) {
        self.places.clear();
        self.sites.clear();
        self.free.clear();
        self.of_object.clear();
        self.revoked = 0;
    }

    /// Visits the place of every object.
    pub fn for_each_mut(&mut self, visit: &mut dyn FnMut(&mut rs_value)) {
        let mut has_moved = false;
        for pin in self.places.iter_mut().filter(|pin| pin.is_live()) {
            let before = pin.object;
            visit(&mut pin.object);
            has_moved |= pin.object != before;
        }
        if has_moved {
            // As many as before: this allocates nothing.
            self.of_object.clear();
            for (index, pin) in self.places.iter().enumerate() {
                if pin.is_live() {
                    self.of_object.insert(pin.object, index as u32);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pins() -> Pins {
        Pins::new(3, false, HostAllocator::malloc())
    }

    fn send(pins: &mut Pins, object: rs_value, rights: u32) -> Result<u64, rs_status> {
        pins.send(object, rights, 0, NO_SITE)
    }

    #[test]
    fn a_release_that_crosses_a_reference_under_way_leaves_the_pin() {
        let mut pins = pins();
        let number = send(&mut pins, 16, 1).unwrap();
        // The peer lets go of what it has received, while the same object is sent again.
        assert_eq!(send(&mut pins, 16, 2), Ok(number));
        assert_eq!(pins.release(number, 1), Ok(()));
        assert_eq!(pins.get(number).unwrap().rights, 3);
        assert_eq!(pins.release(number, 1), Ok(()));
        assert_eq!(pins.get(number), Err(RS_ERR_STALE));
        assert!(pins.is_empty());
    }

    #[test]
    fn a_number_that_was_given_back_never_names_another_object() {
        let mut pins = pins();
        let mut numbers = std::collections::HashSet::new();
        for object in 1..100 {
            let number = send(&mut pins, 16 * object, 1).unwrap();
            assert!(numbers.insert(number));
            assert_eq!(pins.release(number, 1), Ok(()));
            for &number in &numbers {
                assert_eq!(pins.get(number), Err(RS_ERR_STALE));
            }
        }
    }

    #[test]
    fn giving_back_more_than_was_received_breaks_the_protocol() {
        let mut pins = pins();
        let number = send(&mut pins, 16, 1).unwrap();
        assert_eq!(pins.release(number, 2), Err(RS_ERR_PEER));
        assert_eq!(pins.release(number + 1, 1), Err(RS_ERR_PEER));
        assert_eq!(pins.release(number, 1), Ok(()));
        assert_eq!(pins.release(number, 1), Err(RS_ERR_PEER));
    }

    #[test]
    fn a_revoked_reference_is_stale_until_it_is_given_back() {
        let mut pins = pins();
        let number = send(&mut pins, 16, 1).unwrap();
        assert_eq!(pins.revoke(16), Ok(()));
        assert_eq!(pins.revoke(16), Err(RS_ERR_ARGUMENT));
        assert_eq!(pins.get(number), Err(RS_ERR_STALE));
        let again = send(&mut pins, 16, 1).unwrap();
        assert_ne!(again, number);
        assert_eq!(pins.release(number, 1), Ok(()));
        assert_eq!(pins.release(number, 1), Err(RS_ERR_PEER));
        assert!(pins.get(again).is_ok());
    }

    #[test]
    fn what_was_sent_since_the_cut_is_not_let_go() {
        let mut pins = pins();
        let [old, new, gone] = [16, 32, 48].map(|object| send(&mut pins, object, 1).unwrap());
        pins.begin_cut();
        // Its count is what it was, but what was given back is not what was sent.
        assert_eq!(send(&mut pins, 32, 1), Ok(new));
        assert_eq!(pins.release(new, 1), Ok(()));
        assert_eq!(pins.release(gone, 1), Ok(()));
        assert_eq!(
            [old, new, gone].map(|number| pins.let_go(number)),
            [true, false, false]
        );
        assert_eq!(pins.get(old), Err(RS_ERR_STALE));
        assert_eq!(pins.release(old, 1), Ok(()));
        assert_eq!(pins.len(), 1);
    }

    #[test]
    fn what_was_revoked_counts_until_it_is_given_back() {
        let mut pins = pins();
        let numbers = [16, 32, 48].map(|object| send(&mut pins, object, 1).unwrap());
        assert_eq!(pins.revoke(16), Ok(()));
        assert_eq!(send(&mut pins, 64, 1), Err(RS_ERR_LIMIT));
        assert_eq!(pins.release(numbers[0], 1), Ok(()));
        assert!(send(&mut pins, 64, 1).is_ok());
    }

    #[test]
    fn there_are_never_more_than_the_peer_may_have() {
        let mut pins = pins();
        let numbers = [16, 32, 48].map(|object| send(&mut pins, object, 1).unwrap());
        assert_eq!(send(&mut pins, 64, 1), Err(RS_ERR_LIMIT));
        assert_eq!(send(&mut pins, 16, 1), Ok(numbers[0]));
        assert_eq!(pins.release(numbers[1], 1), Ok(()));
        assert!(send(&mut pins, 64, 1).is_ok());
    }

    #[test]
    fn pins_follow_objects_that_move() {
        let mut pins = pins();
        let number = send(&mut pins, 16, 1).unwrap();
        pins.for_each_mut(&mut |object| *object += 1000);
        assert_eq!(pins.get(number).unwrap().object, 1016);
        assert_eq!(send(&mut pins, 1016, 1), Ok(number));
        assert_ne!(send(&mut pins, 16, 1), Ok(number));
    }
}
