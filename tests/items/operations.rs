//! What a peer may have this host do: the operations of its own program.

use super::{Content, FALSE, Function, Host, NIL, TRUE, content, is_object, object, small};
use std::ffi::CStr;
use vmshare::ffi;
use vmshare::host::contract::rs_value;
use vmshare::host::exchange::*;
use vmshare::host::item::RS_ITEM_BY_VALUE;
use vmshare::status::*;

impl Host {
    pub(super) fn carry_out(
        &self,
        link: rs_link,
        target: rs_value,
        operation: &rs_operation,
    ) -> Result<rs_value, rs_status> {
        let arguments = operation.arguments();
        if is_by_target(operation.code) && !is_object(target) {
            return Err(self.raise(link, c"type", c"no object"));
        }
        match (operation.code, arguments) {
            (RS_READ_VARIABLE, _) => self.read_variable(link, operation.name()),
            (RS_WRITE_VARIABLE, [value]) => {
                let name = operation.name().to_vec();
                self.variables.borrow_mut().insert(name, *value);
                Ok(NIL)
            }
            (RS_CALL, _) => self.call(link, target, arguments),
            (RS_READ_ELEMENT | RS_WRITE_ELEMENT | RS_EXCHANGE_ELEMENT | RS_ADD_ELEMENT, _) => {
                element(target, operation)
                    .ok_or_else(|| self.raise(link, c"range", c"no such element"))
            }
            (RS_READ_KEY, [key, default]) => Ok(read_key(target, *key).unwrap_or(*default)),
            (RS_WRITE_KEY, [key, value]) => write_key(target, *key, *value),
            (RS_READ_LENGTH, _) => length(target),
            (RS_PRINT, _) => Ok(self.print(target, operation.index as usize)),
            (RS_EQUAL, [other]) => {
                let is_equal = is_object(*other) && content(target) == content(*other);
                Ok(if is_equal { TRUE } else { FALSE })
            }
            _ => Err(RS_ERR_UNSUPPORTED),
        }
    }

    fn read_variable(&self, link: rs_link, name: &[u8]) -> Result<rs_value, rs_status> {
        let found = self.variables.borrow().get(name).copied();
        found.ok_or_else(|| self.raise(link, c"unbound", c"no such variable"))
    }

    fn call(
        &self,
        link: rs_link,
        target: rs_value,
        arguments: &[rs_value],
    ) -> Result<rs_value, rs_status> {
        let function = match &*object(target).content.borrow() {
            Content::Function(function) => *function,
            _ => return Err(self.raise(link, c"type", c"not a function")),
        };
        let Function(body) = function;
        body(self, link, arguments)
    }

    fn print(&self, target: rs_value, most: usize) -> rs_value {
        let mut text = format!("{:?}", content(target)).into_bytes();
        text.truncate(most);
        self.make(Content::Text(RS_ITEM_BY_VALUE, text))
    }

    /// Tells why an operation fails.
    pub fn raise(&self, link: rs_link, kind: &CStr, text: &CStr) -> rs_status {
        // SAFETY: C strings.
        match unsafe { ffi::link::rs_link_raise(self.vm, link, kind.as_ptr(), text.as_ptr()) } {
            RS_OK => RS_RAISED,
            status => {
                assert_eq!(status, RS_ERR_MEMORY);
                status
            }
        }
    }
}

fn is_by_target(code: u32) -> bool {
    !matches!(code, RS_READ_VARIABLE | RS_WRITE_VARIABLE)
}

/// Reads or writes an element; none if there is no such element.
fn element(target: rs_value, operation: &rs_operation) -> Option<rs_value> {
    let mut content = object(target).content.borrow_mut();
    let own: &mut [rs_value] = match &mut *content {
        Content::Cons(own) => own,
        Content::Vector(own) | Content::Record(_, own) => own,
        _ => &mut [],
    };
    let place = own.get_mut(operation.index as usize)?;
    let before = *place;
    match (operation.code, operation.arguments()) {
        (RS_WRITE_ELEMENT, [value]) => *place = *value,
        (RS_EXCHANGE_ELEMENT, [expected, value]) if before == *expected => *place = *value,
        (RS_ADD_ELEMENT, [amount]) => {
            *place = small((before as i64 >> 2) + (*amount as i64 >> 2));
            return Some(*place);
        }
        _ => {}
    }
    Some(before)
}

fn read_key(target: rs_value, key: rs_value) -> Option<rs_value> {
    match &*object(target).content.borrow() {
        Content::Map(_, pairs) => {
            let found = pairs.chunks(2).find(|pair| pair[0] == key);
            found.map(|pair| pair[1])
        }
        _ => None,
    }
}

fn write_key(target: rs_value, key: rs_value, value: rs_value) -> Result<rs_value, rs_status> {
    let Content::Map(_, pairs) = &mut *object(target).content.borrow_mut() else {
        return Err(RS_ERR_UNSUPPORTED);
    };
    match pairs.chunks_mut(2).find(|pair| pair[0] == key) {
        Some(pair) => pair[1] = value,
        None => pairs.extend([key, value]),
    }
    Ok(NIL)
}

fn length(target: rs_value) -> Result<rs_value, rs_status> {
    match &*object(target).content.borrow() {
        Content::Vector(own) => Ok(small(own.len() as i64)),
        Content::Map(_, pairs) => Ok(small(pairs.len() as i64 / 2)),
        _ => Err(RS_ERR_UNSUPPORTED),
    }
}
