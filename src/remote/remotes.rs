//! What this process refers to: an entry for each object of the host that stands for a peer's.
//!
//! An entry counts the references that it has received; when its object is gone, they are all given
//! back at once, with the next message. If the peer sends the same reference later, that is a new
//! entry: its id was never used before, so a finaliser that comes late can't hit it.

use crate::host::contract::rs_value;
use crate::host::exchange::{rs_link, rs_remote};
use crate::host::memory::{HostAllocator, Map, Vec, insert, push};
use crate::host::table::{Kind, Table};
use crate::status::{RS_ERR_LIMIT, RS_ERR_MEMORY, rs_status};

/// A reference to an object of a peer.
#[derive(Clone, Copy, Debug)]
pub struct Remote {
    /// Over which link.
    pub link: rs_link,
    /// The peer's number for it.
    pub pin: u64,
    /// References received.
    pub count: u64,
    /// The object that stands for it, weakly; 0 while it is being made.
    pub value: rs_value,
}

/// References to be given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Release {
    /// To which peer.
    pub link: rs_link,
    /// Its number for the object.
    pub pin: u64,
    /// How many.
    pub count: u64,
}

impl Release {
    /// No release.
    pub const NONE: Release = Release {
        link: 0,
        pin: 0,
        count: 0,
    };
}

/// All remotes of a vm.
pub struct Remotes {
    table: Table<Remote>,
    of_pin: Map<(rs_link, u64), rs_remote>,
    releases: Vec<Release>,
}

impl Remotes {
    /// None, of the vm with this number.
    pub fn new(vm: u64, allocator: HostAllocator) -> Self {
        Remotes {
            table: Table::new(Kind::Remote, vm, allocator),
            of_pin: Map::with_hasher_in(Default::default(), allocator),
            releases: Vec::new_in(allocator),
        }
    }

    /// A reference was received: its entry, which may be new, and then has no object yet. `RS_ERR_LIMIT`: it
    /// would be more than `most`, over all links.
    pub fn receive(
        &mut self,
        link: rs_link,
        pin: u64,
        most: usize,
    ) -> Result<(rs_remote, Remote), rs_status> {
        if let Some(&id) = self.of_pin.get(&(link, pin)) {
            let remote = self.table.get_mut(id)?;
            remote.count += 1;
            return Ok((id, *remote));
        }
        if self.of_pin.len() >= most {
            return Err(RS_ERR_LIMIT);
        }
        self.reserve_releases()?;
        let remote = Remote {
            link,
            pin,
            count: 1,
            value: 0,
        };
        let id = self.table.add(remote)?;
        if let Err(status) = insert(&mut self.of_pin, (link, pin), id) {
            self.table.remove(id)?;
            return Err(status);
        }
        Ok((id, remote))
    }

    /// Giving back never fails: there is room for each entry that there is, and one more.
    fn reserve_releases(&mut self) -> Result<(), rs_status> {
        let wanted = self.of_pin.len() + 1;
        self.releases
            .try_reserve(wanted + 1)
            .map_err(|_| RS_ERR_MEMORY)
    }

    /// The object that stands for it has been made.
    pub fn set_value(&mut self, id: rs_remote, value: rs_value) -> Result<(), rs_status> {
        self.table.get_mut(id)?.value = value;
        Ok(())
    }

    /// An entry.
    pub fn get(&self, id: rs_remote) -> Result<&Remote, rs_status> {
        self.table.get(id)
    }

    /// The entry of a peer's object.
    pub fn find(&self, link: rs_link, pin: u64) -> Option<rs_remote> {
        self.of_pin.get(&(link, pin)).copied()
    }

    /// The object that stands for it is gone, or never came to be.
    pub fn release(&mut self, id: rs_remote) -> Result<(), rs_status> {
        let Remote {
            link, pin, count, ..
        } = self.table.remove(id)?;
        match self.of_pin.remove(&(link, pin)) {
            Some(_) => push(&mut self.releases, Release { link, pin, count }),
            // The link has ended: nobody wants it back.
            None => Ok(()),
        }
    }

    /// A reference was received that nobody wants.
    pub fn give_back(&mut self, link: rs_link, pin: u64) -> Result<(), rs_status> {
        let release = Release {
            link,
            pin,
            count: 1,
        };
        self.reserve_releases()?;
        self.releases.push(release);
        Ok(())
    }

    /// Takes what is to be given back over a link, some at a time; returns how many.
    pub fn take_releases(&mut self, link: rs_link, into: &mut [Release]) -> usize {
        let mut taken = 0;
        let mut index = 0;
        while index < self.releases.len() && taken < into.len() {
            match self.releases[index].link == link {
                true => {
                    into[taken] = self.releases.swap_remove(index);
                    taken += 1;
                }
                false => index += 1,
            }
        }
        taken
    }

    /// What was taken could not be sent. There is room for it: it has just been taken out.
    pub fn put_back(&mut self, releases: &[Release]) {
        self.releases.extend_from_slice(releases);
    }

    /// Every entry.
    pub fn iter(&self) -> impl Iterator<Item = &Remote> {
        let entries = (0..self.table.places()).filter_map(|index| self.table.at(index));
        entries.map(|(_, remote)| remote)
    }

    /// Whether anything is to be given back.
    pub fn has_releases(&self) -> bool {
        !self.releases.is_empty()
    }

    /// How many entries a link has.
    pub fn count(&self, link: rs_link) -> usize {
        self.iter().filter(|remote| remote.link == link).count()
    }

    /// A link has ended: what is to be given back over it need not be.
    pub fn forget_link(&mut self, link: rs_link) {
        self.releases.retain(|release| release.link != link);
        self.of_pin.retain(|&(of, _), _| of != link);
    }

    /// Gives back what stands for nothing any more.
    pub fn sweep(&mut self, is_alive: &mut dyn FnMut(rs_value) -> bool) {
        for index in 0..self.table.places() {
            let Some((id, remote)) = self.table.at(index) else {
                continue;
            };
            if remote.value != 0 && !is_alive(remote.value) {
                // There is room: see `receive`.
                let _ = self.release(id);
            }
        }
    }

    /// Visits the place of every object that stands for a peer's. They are no roots.
    pub fn for_each_mut(&mut self, visit: &mut dyn FnMut(&mut rs_value)) {
        for (_, remote) in self.table.iter_mut() {
            if remote.value != 0 {
                visit(&mut remote.value);
            }
        }
    }
}
