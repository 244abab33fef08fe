//! How a walk reads the objects of one type: the host's layout, and what is worked out of it once,
//! when the vm is made.
//!
//! Most objects have a few fields and nothing else. How many they are is as good as random from one
//! object to the next, so a loop over them mispredicts its end about every other time, and that costs
//! more than all else that a walk does to an object in cache. So their fields are read without a
//! branch: always [`FEW`] of them, of which those that are not there count as no object. Measured
//! with 10^4 objects of a mixed tree, this took a mark from 1.4 times a plain C mark of the same
//! objects to less than it needs.

use super::contract::{
    RS_ELEMENTS_ASK, RS_ELEMENTS_NONE, RS_SHARE_ASK, RS_SHARE_YES, rs_host, rs_layout, rs_pointers,
};
use super::memory::{Box, HostAllocator, Vec};
use crate::status::{RS_ERR_MEMORY, rs_status};
use core::ops::Deref;

/// Most fields of an object that are read without a branch.
pub const FEW: usize = 4;

/// A layout, and how to read objects that have it.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Plan {
    layout: rs_layout,
    /// For each of the fields, last one first: the low bits that an object has there, as in
    /// [`rs_pointers::tags`]; none for a field that is not there.
    tags: [u32; FEW],
    /// For each of the fields, last one first: where it is; if it is not there, where another one is.
    offsets: [u32; FEW],
    /// Whether the children are a few fields, and nothing else.
    is_few: bool,
    /// The high bits of a length, after its shift, that do not count.
    length_unused: u8,
}

impl Deref for Plan {
    type Target = rs_layout;

    #[inline(always)]
    fn deref(&self) -> &rs_layout {
        &self.layout
    }
}

// SAFETY: a layout's name points to static text, and plans are never written.
unsafe impl Sync for Plan {}
// SAFETY: see above.
unsafe impl Send for Plan {}

impl Plan {
    /// How to read objects of a layout, where values look like this.
    pub const fn new(layout: rs_layout, pointers: &rs_pointers) -> Plan {
        let count = layout.fields_count as usize;
        let is_few = layout.elements == RS_ELEMENTS_NONE && count <= FEW;
        let mut tags = [0; FEW];
        let mut offsets = [0; FEW];
        let mut place = 0;
        while is_few && place < FEW && count > 0 {
            let field = (count - 1).saturating_sub(place);
            offsets[place] = layout.fields_offset as u32 + (field * size_of::<usize>()) as u32;
            if place < count {
                tags[place] = pointers.tags;
            }
            place += 1;
        }
        Plan {
            layout,
            tags,
            offsets,
            is_few,
            length_unused: match layout.length_bits {
                0 => 0,
                bits => (u64::BITS as u8).saturating_sub(bits),
            },
        }
    }

    /// The length that a length word says.
    #[inline(always)]
    pub fn length(&self, word: u64) -> u64 {
        (word >> (self.length_shift & 63)) & (u64::MAX >> (self.length_unused & 63))
    }

    /// Whether the children are a few fields, and nothing else.
    #[inline(always)]
    pub fn is_few(&self) -> bool {
        self.is_few
    }

    /// Where one of the few fields is, counted from the last one, and with which low bits an object
    /// stands there.
    #[inline(always)]
    pub fn field(&self, place: usize) -> (usize, u32) {
        (self.offsets[place] as usize, self.tags[place])
    }
}

/// A layout that says nothing but whether its objects can be shared, and how to find their children.
pub const fn bare_layout(share: u32, elements: u8) -> rs_layout {
    rs_layout {
        share: share as u8,
        elements,
        length_width: 0,
        length_shift: 0,
        length_bits: 0,
        commit: (share == RS_SHARE_ASK) as u8,
        fields_offset: 0,
        fields_count: 0,
        elements_offset: 0,
        length_offset: 0,
        name: core::ptr::null(),
    }
}

/// The plans of all types of a host.
pub struct Plans {
    plans: Box<[Plan]>,
    ask: Plan,
    few: usize,
}

impl Plans {
    /// The plans for the layouts of a host.
    pub fn new(
        layouts: &[rs_layout],
        host: &rs_host,
        allocator: HostAllocator,
    ) -> Result<Plans, rs_status> {
        let plan = |layout| Plan::new(answered(layout, host), &host.pointers);
        let mut plans: Vec<Plan> = Vec::new_in(allocator);
        plans
            .try_reserve_exact(layouts.len())
            .map_err(|_| RS_ERR_MEMORY)?;
        for (index, layout) in layouts.iter().enumerate() {
            // Hosts whose tags have gaps repeat a layout thousands of times.
            let repeats = index > 0 && layouts[index - 1] == *layout;
            plans.push(match plans.last() {
                Some(&last) if repeats => last,
                _ => plan(*layout),
            });
        }
        Ok(Plans {
            few: most_fields(&plans),
            plans: plans.into_boxed_slice(),
            ask: plan(bare_layout(RS_SHARE_ASK, RS_ELEMENTS_ASK)),
        })
    }

    /// The plan of objects whose type has no layout.
    pub fn ask(&self) -> &Plan {
        &self.ask
    }

    /// The plan of each type.
    #[inline(always)]
    pub fn all(&self) -> &[Plan] {
        &self.plans
    }

    /// How many fields the largest object has whose children are a few fields.
    #[inline(always)]
    pub fn few(&self) -> usize {
        self.few
    }
}

/// A layout in which what would be asked of a host that has no answer is its default.
fn answered(layout: rs_layout, host: &rs_host) -> rs_layout {
    let mut answered = layout;
    if u32::from(layout.share) == RS_SHARE_ASK && host.can_share.is_none() {
        answered.share = RS_SHARE_YES as u8;
    }
    if layout.elements == RS_ELEMENTS_ASK && host.children.is_none() {
        answered.elements = RS_ELEMENTS_NONE;
        answered.fields_count = 0;
    }
    answered
}

fn most_fields(plans: &[Plan]) -> usize {
    let few = plans.iter().filter(|plan| plan.is_few);
    few.map(|plan| usize::from(plan.fields_count))
        .max()
        .unwrap_or(0)
}
