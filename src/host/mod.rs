//! What an embedding VM looks like from here: the contract in C layout, and safe views of it.
//!
//! - [`contract`], [`report`]: the data that C sees.
//! - [`callbacks`]: the host's functions with their defaults.
//! - [`flags`], [`side_table`]: where the four flags of an object are; [`change`]: how they change.
//! - [`heap`]: what a walk needs of a heap; [`host_heap`], [`plan`]: how the host's is read.
//! - [`item`], [`items`]: values in terms that every host has; [`roots`]: those held while it collects.
//! - [`memory`]: the host's allocator; [`table`]: ids that C holds; [`text`]: C strings.
//!
//! Invariant: nothing in here knows what the flags mean.

pub mod callbacks;
pub mod change;
pub mod contract;
pub mod exchange;
pub mod flags;
pub mod heap;
pub mod host_heap;
pub mod item;
pub mod items;
pub mod memory;
pub mod plan;
pub mod prefetch;
pub mod report;
pub mod roots;
pub mod side_table;
pub mod table;
pub mod text;

use crate::status::{RS_ERR_ABI, RS_ERR_ARGUMENT, rs_status};
use callbacks::Callbacks;
use change::Change;
use contract::*;
use flags::AnyFlags;
use host_heap::{AnyHeap, HostHeap};
use memory::HostAllocator;
use once_cell::race::OnceNonZeroUsize;
use plan::Plans;
use roots::Roots;
use side_table::SideTable;

/// An embedding VM: what it said of itself, checked.
pub struct Host {
    callbacks: Callbacks,
    allocator: HostAllocator,
    plans: Plans,
    /// Where the side table begins, once there is one.
    side_table: OnceNonZeroUsize,
    roots: Roots,
}

/// More bytes than a host of any version has.
const LARGEST: usize = 4096;
/// Bytes of `rs_host` that every version has: what comes before can't be left out.
const SMALLEST: usize = core::mem::offset_of!(rs_host, can_share);

impl Host {
    /// Copies and checks what a host says of itself.
    ///
    /// # Safety
    /// `host` is valid for the number of bytes that its `size` says.
    pub unsafe fn new(host: *const rs_host) -> Result<Host, rs_status> {
        // SAFETY: every host has at least these two members.
        let (size, abi) = unsafe { ((*host).size as usize, (*host).abi) };
        if abi != RS_ABI || !(SMALLEST..=LARGEST).contains(&size) {
            return Err(RS_ERR_ABI);
        }
        let mut copy = core::mem::MaybeUninit::<rs_host>::zeroed();
        // SAFETY: as much as both sides have; what the host does not have stays zero: NULL
        // callbacks and default choices.
        let copy = unsafe {
            core::ptr::copy_nonoverlapping(
                host.cast::<u8>(),
                copy.as_mut_ptr().cast::<u8>(),
                size.min(size_of::<rs_host>()),
            );
            copy.assume_init()
        };
        check(&copy)?;
        // SAFETY: the host promises as many layouts as it counts.
        let layouts = unsafe { layouts(&copy) };
        check_layouts(layouts)?;
        let allocator = HostAllocator::new(copy.ctx, copy.allocate, copy.release);
        let host = Host {
            allocator,
            plans: Plans::new(layouts, &copy, allocator)?,
            callbacks: Callbacks::new(copy),
            side_table: OnceNonZeroUsize::new(),
            roots: Roots::new(allocator),
        };
        if host.data().flags.placement != RS_FLAGS_IN_HEADER {
            host.reserve_side_table()?;
        }
        Ok(host)
    }

    /// What the host said of itself.
    pub fn data(&self) -> &rs_host {
        self.callbacks.host()
    }

    /// Its callbacks.
    pub fn callbacks(&self) -> &Callbacks {
        &self.callbacks
    }

    /// Its allocator.
    pub fn allocator(&self) -> HostAllocator {
        self.allocator
    }

    /// Values that the library holds while it collects.
    pub fn roots(&self) -> &Roots {
        &self.roots
    }

    /// The side table, if there is one.
    pub fn side_table(&self) -> Option<SideTable> {
        let base = self.side_table.get()?;
        Some(SideTable::at(base.get(), &self.data().flags))
    }

    /// The side table, reserved now if there is none. Lock-free, so that a fork can't catch it half
    /// made; who loses a race gives its own mapping back.
    pub fn reserve_side_table(&self) -> Result<SideTable, rs_status> {
        let flags = &self.data().flags;
        let mut own = None;
        let base = self.side_table.get_or_try_init(|| {
            let table = SideTable::reserve(flags)?;
            own = Some(table);
            core::num::NonZeroUsize::new(table.base()).ok_or(RS_ERR_ARGUMENT)
        })?;
        let table = SideTable::at(base.get(), flags);
        if let Some(own) = own
            && own != table
        {
            // SAFETY: nobody else has seen this mapping.
            unsafe { own.release() };
        }
        Ok(table)
    }

    /// The flags of its objects.
    pub fn flags(&self) -> AnyFlags {
        let data = self.data();
        let change = Change::new(data.walk_mode == RS_WALK_WORLD_STOPPED);
        AnyFlags::new(&data.flags, self.side_table(), change)
    }

    /// The heap, for code in which a choice at each access does not count; walks use `with_heap`.
    pub fn any_heap(&self) -> AnyHeap<'_> {
        self.heap(self.flags())
    }

    /// The heap, with its flags at the placement that `flags` stands for.
    pub fn heap<F: flags::Flags>(&self, flags: F) -> HostHeap<'_, F> {
        let data = self.data();
        HostHeap::new(
            flags,
            data.pointers,
            data.type_tag,
            &self.plans,
            &self.callbacks,
        )
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        if let Some(table) = self.side_table() {
            // SAFETY: the vm is gone, and with it all that used the table.
            unsafe { table.release() };
        }
    }
}

/// Evaluates an expression with the heap of a host as a type of its own for each placement and width,
/// so that a walk has no choice left to make for each object.
macro_rules! with_heap {
    ($host:expr, $heap:ident => $body:expr) => {{
        let host: &$crate::host::Host = $host;
        $crate::host::flags::with_flags!(host.flags(), flags => {
            let $heap = &host.heap(flags);
            $body
        })
    }};
}
pub(crate) use with_heap;

/// # Safety
/// `layouts` is valid for `layouts_count` entries, or the count is 0.
unsafe fn layouts(host: &rs_host) -> &[rs_layout] {
    if host.layouts_count == 0 || host.layouts.is_null() {
        return &[];
    }
    // SAFETY: the caller's promise.
    unsafe { core::slice::from_raw_parts(host.layouts, host.layouts_count as usize) }
}

fn require(condition: bool) -> Result<(), rs_status> {
    condition.then_some(()).ok_or(RS_ERR_ARGUMENT)
}

/// Whether the contract contradicts itself.
fn check(host: &rs_host) -> Result<(), rs_status> {
    check_flags(&host.flags, host.walk_mode)?;
    require(host.pointers.tags != 0)?;
    require(matches!(host.type_tag.width, 0 | 8 | 16 | 32 | 64))?;
    let tag_bits = match host.type_tag.width {
        0 => rs_value::BITS as u8,
        width => width,
    };
    require(host.type_tag.shift < tag_bits)?;
    require(aligned(host.type_tag.offset, host.type_tag.width))?;
    require(host.layouts_count == 0 || !host.layouts.is_null())?;
    require(host.mark_policy <= RS_MARK_ON_ASSIGN)?;
    require(host.walk_mode <= RS_WALK_WORLD_STOPPED)?;
    require(host.enforcement <= RS_OFF)?;
    require(host.options & !(RS_OPTION_PROVENANCE | RS_OPTION_VERIFY) == 0)?;
    require(host.reserved == 0)?;
    require(host.allocate.is_some() == host.release.is_some())?;
    let stops = host.stop_world.is_some() && host.resume_world.is_some();
    require(host.walk_mode == RS_WALK_CONCURRENT || stops)
}

fn check_flags(flags: &rs_flags, walk_mode: u32) -> Result<(), rs_status> {
    // A claim that only the walk itself can see needs no bit of its own.
    let count = match (walk_mode, flags.pending) {
        (RS_WALK_WORLD_STOPPED, 0) => 3,
        _ => 4,
    };
    let bits = match flags.placement {
        RS_FLAGS_IN_HEADER => &[
            flags.frozen,
            flags.shareable,
            flags.autoshare,
            flags.pending,
        ][..count],
        RS_FLAGS_SPLIT => &[flags.frozen, flags.shareable, flags.autoshare][..],
        RS_FLAGS_IN_SIDE_TABLE => &[][..],
        _ => return Err(RS_ERR_ARGUMENT),
    };
    if !bits.is_empty() {
        require(matches!(flags.width, 8 | 16 | 32 | 64))?;
        require(aligned(flags.offset, flags.width))?;
        let all = bits.iter().fold(0, |all, bit| all | bit);
        require(all.count_ones() as usize == bits.len())?;
        require(bits.iter().all(|bit| bit.count_ones() == 1))?;
        require(flags.width == 64 || all >> flags.width == 0)?;
    }
    let granule_known = matches!(flags.granule, 3..=12);
    require(granule_known || (flags.granule == 0 && flags.placement == RS_FLAGS_IN_HEADER))?;
    require(flags.heap_start.checked_add(flags.heap_size).is_some())?;
    require(flags.heap_size != 0 || flags.heap_start == 0)
}

fn check_layouts(layouts: &[rs_layout]) -> Result<(), rs_status> {
    layouts.iter().try_for_each(|layout| {
        let share = u32::from(layout.share);
        require(share <= RS_SHARE_ASK && share != RS_SHARE_NEEDS_PREPARE)?;
        require(share != RS_SHARE_BUSY)?;
        require(layout.elements <= RS_ELEMENTS_ASK)?;
        require(layout.fields_count == 0 || aligned(layout.fields_offset, 64))?;
        if matches!(layout.elements, RS_ELEMENTS_INLINE | RS_ELEMENTS_INDIRECT) {
            require(matches!(layout.length_width, 8 | 16 | 32 | 64))?;
            require(layout.length_shift < layout.length_width)?;
            require(layout.length_bits <= layout.length_width - layout.length_shift)?;
            require(aligned(layout.length_offset, layout.length_width))?;
            require(aligned(layout.elements_offset, 64))?;
        }
        Ok(())
    })
}

/// Whether an offset in bytes is aligned to a width in bits, as far as the offset can say.
fn aligned(offset: u16, width: u8) -> bool {
    width == 0 || offset.is_multiple_of(u16::from(width / 8))
}
