//! Drawings of a graph with the state of each object, for people who want to see why it is not shareable.
//!
//! As text it is a tree; an object that was drawn before is referred to by its number. Wide and deep
//! graphs are cut, with a word on what is left out.

use super::Call;
use super::explain::Judgement;
use super::path::LABEL;
use crate::host::contract::{
    RS_STATE_AUTOSHARE, RS_STATE_FROZEN, RS_STATE_SHAREABLE, rs_ractor, rs_value,
};
use crate::host::heap::{Heap, Object, Scanned};
use crate::host::memory::{self, AddressHasher, Map, Vec, push};
use crate::host::text::{self, Shown};
use crate::status::{RS_ERR_ARGUMENT, RS_ERR_MEMORY, rs_status};
use core::ffi::c_char;
use core::fmt::{self, Write};

/// Children of one object that are drawn.
const WIDTH: usize = 64;
/// Levels that are drawn.
const DEPTH: usize = 32;
/// Room for the name of an object.
const NAME: usize = 128;

/// Hands text on to the host, until the host wants no more.
struct Pen<'a> {
    write: &'a mut dyn FnMut(&[u8]) -> bool,
}

impl Write for Pen<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        match (self.write)(text.as_bytes()) {
            true => Ok(()),
            false => Err(fmt::Error),
        }
    }
}

/// Why a drawing ends before its end.
enum Stop {
    /// The host wants no more.
    Enough,
    Failed(rs_status),
}

impl From<fmt::Error> for Stop {
    fn from(_: fmt::Error) -> Self {
        Stop::Enough
    }
}

impl From<rs_status> for Stop {
    fn from(status: rs_status) -> Self {
        Stop::Failed(status)
    }
}

/// One child, and how one comes to it.
struct Child {
    object: Object,
    label: [c_char; LABEL],
}

/// The children that are drawn, and how many are not.
struct Children {
    shown: Vec<Child>,
    hidden: usize,
}

/// An object of which the children are being drawn.
struct Level {
    children: Children,
    next: usize,
    name: u64,
}

/// The form of a drawing.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    Text,
    Dot,
}

impl Call<'_> {
    /// Draws the graph of a value.
    pub fn draw(
        &self,
        ractor: rs_ractor,
        value: rs_value,
        format: u32,
        write: &mut dyn FnMut(&[u8]) -> bool,
    ) -> Result<(), rs_status> {
        self.expect_ractor(ractor)?;
        let format = match format {
            0 => Format::Text,
            1 => Format::Dot,
            _ => return Err(RS_ERR_ARGUMENT),
        };
        let mut pen = Pen { write };
        match self.draw_graph(value, format, &mut pen) {
            Ok(()) | Err(Stop::Enough) => Ok(()),
            Err(Stop::Failed(status)) => Err(status),
        }
    }

    fn draw_graph(&self, value: rs_value, format: Format, pen: &mut Pen<'_>) -> Result<(), Stop> {
        if format == Format::Dot {
            pen.write_str("digraph shared {\n  rankdir=LR;\n  node [shape=box, style=filled];\n")?;
        }
        match self.heap.object(value) {
            Some(root) => self.draw_levels(root, format, pen)?,
            None if format == Format::Text => pen.write_str("C immediate\n")?,
            None => pen.write_str("  n1 [label=\"immediate\", fillcolor=\"#b7d7f2\"];\n")?,
        }
        if format == Format::Dot {
            pen.write_str("}\n")?;
        }
        Ok(())
    }

    fn draw_levels(&self, root: Object, format: Format, pen: &mut Pen<'_>) -> Result<(), Stop> {
        let allocator = self.host.allocator();
        let mut names: Map<rs_value, u64> = Map::with_hasher_in(AddressHasher, allocator);
        let mut levels: Vec<Level> = Vec::new_in(allocator);
        memory::insert(&mut names, root.0, 1)?;
        self.draw_object(root, 1, format, pen)?;
        let children = self.children_of(root)?;
        push(
            &mut levels,
            Level {
                children,
                next: 0,
                name: 1,
            },
        )?;
        while let Some(level) = levels.last_mut() {
            let Some(child) = level.children.shown.get(level.next) else {
                let hidden = core::mem::take(&mut level.children.hidden);
                let name = level.name;
                if hidden > 0 {
                    draw_hidden(&levels, hidden, name, format, pen)?;
                }
                levels.pop();
                continue;
            };
            level.next += 1;
            let (object, label, parent) = (child.object, child.label, level.name);
            let known = names.get(&object.0).copied();
            let name = known.unwrap_or(names.len() as u64 + 1);
            if format == Format::Text {
                draw_branch(&levels, pen)?;
                write!(pen, "{} ", Shown(text::bytes(&label)))?;
            } else {
                write!(pen, "  n{parent} -> n{name} [label=\"")?;
                write_escaped(pen, text::bytes(&label))?;
                pen.write_str("\"];\n")?;
            }
            if known.is_some() {
                if format == Format::Text {
                    writeln!(pen, "↺ #{name}")?;
                }
                continue;
            }
            memory::insert(&mut names, object.0, name)?;
            self.draw_object(object, name, format, pen)?;
            let mut children = self.children_of(object)?;
            if levels.len() == DEPTH {
                children.hidden += children.shown.len();
                children.shown.clear();
            }
            if !children.is_empty() {
                push(
                    &mut levels,
                    Level {
                        children,
                        next: 0,
                        name,
                    },
                )?;
            }
        }
        Ok(())
    }

    fn draw_object(
        &self,
        object: Object,
        name: u64,
        format: Format,
        pen: &mut Pen<'_>,
    ) -> Result<(), Stop> {
        let mut described = [0; NAME];
        self.callbacks()
            .describe(object, self.heap.plan(object), &mut described);
        let described = text::bytes(&described);
        let inside = self.autoshare.enter_exploring();
        let blocks = matches!(self.judge_access(object), Judgement::Halt(_));
        drop(inside);
        let (letter, color) = match self.object_state(object.0) {
            RS_STATE_SHAREABLE => ("C", "#b7d7f2"),
            RS_STATE_AUTOSHARE if self.is_frozen(object.0) => ("AF", "#c9e7c1"),
            RS_STATE_AUTOSHARE => ("A", "#c9e7c1"),
            RS_STATE_FROZEN => ("F", "#d8d8d8"),
            _ => ("B", "#f2c4b7"),
        };
        if format == Format::Text {
            write!(pen, "{letter} {} #{name}", Shown(described))?;
            return Ok(pen.write_str(if blocks { "  ← blocks\n" } else { "\n" })?);
        }
        write!(pen, "  n{name} [label=\"{letter} ")?;
        write_escaped(pen, described)?;
        let border = if blocks {
            ", color=red, penwidth=3"
        } else {
            ""
        };
        writeln!(pen, "\", fillcolor=\"{color}\"{border}];")?;
        Ok(())
    }

    /// The first children of an object, with their labels, and how many more there are.
    fn children_of(&self, object: Object) -> Result<Children, rs_status> {
        let mut children = Children {
            shown: Vec::new_in(self.host.allocator()),
            hidden: 0,
        };
        children
            .shown
            .try_reserve(WIDTH)
            .map_err(|_| RS_ERR_MEMORY)?;
        let _inside = self.autoshare.enter_exploring();
        let (mut index, mut previous, mut cursor) = (0, 0, 0);
        let plan = self.heap.plan(object);
        loop {
            let scanned = self.heap.scan(object, plan, cursor, WIDTH, |value| {
                if let Some(child) = self.heap.object(value) {
                    if children.shown.len() < WIDTH {
                        let mut label = [0; LABEL];
                        self.callbacks().label(object, index, previous, &mut label);
                        children.shown.push(Child {
                            object: child,
                            label,
                        });
                    } else {
                        children.hidden += 1;
                    }
                }
                index += 1;
                previous = value;
            })?;
            match scanned {
                Scanned::All => return Ok(children),
                Scanned::Upto(next) => cursor = next,
            }
        }
    }
}

/// The lines that lead to the next child of the last level.
fn draw_branch(levels: &[Level], pen: &mut Pen<'_>) -> fmt::Result {
    let Some((last, above)) = levels.split_last() else {
        return Ok(());
    };
    for level in above {
        pen.write_str(if level.is_done() { "   " } else { "│  " })?;
    }
    pen.write_str(if last.is_done() { "└─ " } else { "├─ " })
}

/// Says how many children of an object are left out; all that are not have been drawn.
fn draw_hidden(
    levels: &[Level],
    hidden: usize,
    name: u64,
    format: Format,
    pen: &mut Pen<'_>,
) -> fmt::Result {
    if format == Format::Text {
        draw_branch(levels, pen)?;
        return writeln!(pen, "… {hidden} more");
    }
    writeln!(pen, "  h{name} [label=\"{hidden} more\", shape=plaintext];")?;
    writeln!(pen, "  n{name} -> h{name} [style=dotted];")
}

impl Children {
    fn is_empty(&self) -> bool {
        self.shown.is_empty() && self.hidden == 0
    }
}

impl Level {
    /// Whether nothing follows what is being drawn.
    fn is_done(&self) -> bool {
        self.next >= self.children.shown.len() && self.children.hidden == 0
    }
}

fn write_escaped(pen: &mut Pen<'_>, bytes: &[u8]) -> fmt::Result {
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            if matches!(character, '"' | '\\') {
                pen.write_char('\\')?;
            }
            pen.write_char(character)?;
        }
    }
    Ok(())
}
