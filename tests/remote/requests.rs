//! Requests that are begun now and finished later.

use crate::end::{End, ok};
use crate::items::{Content, content};
use vmshare::ffi::remote::rs_remote_begin;
use vmshare::host::contract::rs_value;
use vmshare::host::exchange::*;
use vmshare::status::rs_status;

/// An operation, as a test writes it.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    pub code: u32,
    pub name: &'a str,
    pub index: u64,
    pub arguments: &'a [rs_value],
    /// Nanoseconds; 0: as the link says.
    pub timeout: u64,
}

impl<'a> Request<'a> {
    pub fn new(code: u32, index: u64, arguments: &'a [rs_value]) -> Request<'a> {
        Request {
            code,
            name: "",
            index,
            arguments,
            timeout: 0,
        }
    }

    pub fn named(code: u32, name: &'a str, arguments: &'a [rs_value]) -> Request<'a> {
        Request {
            name,
            ..Request::new(code, 0, arguments)
        }
    }
}

impl Request<'_> {
    /// What the library gets of it.
    pub fn operation(&self) -> rs_operation {
        rs_operation {
            name: self.name.as_ptr().cast(),
            name_length: self.name.len() as u64,
            index: self.index,
            arguments: self.arguments.as_ptr(),
            arguments_count: self.arguments.len() as u64,
            timeout: self.timeout,
            ..rs_operation::new(self.code)
        }
    }
}

impl End {
    /// Begins a request on what stands for an object of the peer.
    pub fn begin(&self, target: rs_value, request: Request) -> Result<u64, rs_status> {
        match content(target) {
            Content::Remote(remote, _) => self.begin_on(remote, request),
            content => panic!("no remote: {content:?}"),
        }
    }

    /// Begins a request that names its target.
    pub fn begin_by_name(&self, request: Request) -> Result<u64, rs_status> {
        self.begin_on(RS_NO_REMOTE, request)
    }

    /// Asks for a variable, and does not wait.
    pub fn begin_variable(&self, name: &str) -> Result<u64, rs_status> {
        self.begin_by_name(Request::named(RS_READ_VARIABLE, name, &[]))
    }

    /// The result of a request to an end in the same process, which serves it now.
    pub fn served_by(
        &self,
        owner: &End,
        begin: impl FnOnce(&End) -> Result<u64, rs_status>,
    ) -> Result<rs_value, rs_status> {
        let request = begin(self)?;
        owner.serve();
        self.finish(request)
    }

    fn begin_on(&self, remote: rs_remote, request: Request) -> Result<u64, rs_status> {
        let operation = request.operation();
        let mut number = 0;
        // SAFETY: valid pointers.
        let status =
            unsafe { rs_remote_begin(self.host.vm, self.link, remote, &operation, &mut number) };
        ok(status, number)
    }
}
