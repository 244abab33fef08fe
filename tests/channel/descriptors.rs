//! Descriptors: those that travel, those that a child inherits, and none that stays behind.

use crate::process::*;
use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::Command;
use vmshare::shm::channel::Channel;
use vmshare::shm::deadline::Deadline;
use vmshare::shm::descriptors::receive_segment;
use vmshare::shm::handover::Handover;
use vmshare::shm::sealed::{SealedBytes, Unsealed};
use vmshare::shm::segment::Segment;
use vmshare::shm::socket::Socket;
use vmshare::status::*;

fn sealed(bytes: &[u8]) -> SealedBytes {
    let mut unsealed = Unsealed::new(bytes.len()).unwrap();
    let middle = bytes.len() / 2;
    unsealed.write(middle, &bytes[middle..]).unwrap();
    unsealed.write(0, &bytes[..middle]).unwrap();
    unsealed.seal().unwrap()
}

#[test]
fn sealed_bytes_are_read_in_place_by_another_process() {
    let _alone = alone();
    let text = pattern(100_000, 1);
    let (mut channel, child) = with_child(&options(4096), |mut channel| {
        let mut message = buffer();
        for round in 0..100u64 {
            let size = channel.receive(&mut soon(), &mut message).unwrap();
            let file = channel.receive_descriptor().unwrap();
            let bytes = SealedBytes::adopt(file, size as usize).unwrap();
            let end = 50_000 + round as usize;
            assert!(bytes.bytes() == &text[round as usize..end]);
        }
    });
    for round in 0..100 {
        let image = sealed(&text[round..50_000 + round]);
        let size = image.bytes().len() as u32;
        channel
            .send_descriptor(&mut soon(), image.descriptor(), size, &[])
            .unwrap();
    }
    child.join();
}

#[test]
fn many_descriptors_wait_in_the_socket_until_they_are_taken() {
    let _alone = alone();
    let (mut maker, mut joiner) = both(&options(1 << 16));
    let image = sealed(b"one of many");
    let mut sent = 0;
    while sent < 1000
        && maker
            .try_send_descriptor(image.descriptor(), 1, &[])
            .unwrap()
    {
        sent += 1;
        // The receiver looks for wake-ups in between, and finds descriptors.
        joiner.woken().unwrap();
    }
    maker.flush();
    assert!(sent > 100 && sent < 1000, "the system sets a limit: {sent}");
    // A sender that waits goes on when there is room.
    std::thread::scope(|scope| {
        scope.spawn(|| {
            maker
                .send_descriptor(&mut soon(), image.descriptor(), 1, &[])
                .unwrap()
        });
        let mut message = buffer();
        for _ in 0..=sent {
            assert_eq!(joiner.receive(&mut soon(), &mut message), Ok(1));
            let file = joiner.receive_descriptor().unwrap();
            assert_eq!(
                SealedBytes::adopt(file, 11).unwrap().bytes(),
                b"one of many"
            );
        }
    });
    // What was not sent can't be received.
    assert_eq!(joiner.receive_descriptor().err(), Some(RS_ERR_PEER));
}

#[test]
fn bytes_that_are_not_sealed_are_refused() {
    let _alone = alone();
    let make = |seals: libc::c_int| {
        // SAFETY: the name is a C string; the descriptor is new.
        let file = unsafe {
            use std::os::fd::FromRawFd;
            let flags = libc::MFD_ALLOW_SEALING | libc::MFD_CLOEXEC;
            let file = File::from_raw_fd(libc::memfd_create(c"test".as_ptr(), flags));
            file.set_len(4096).unwrap();
            libc::fcntl(file.as_raw_fd(), libc::F_ADD_SEALS, seals);
            file
        };
        SealedBytes::adopt(OwnedFd::from(file), 4096).map(|bytes| bytes.bytes().len())
    };
    let all = libc::F_SEAL_WRITE | libc::F_SEAL_GROW | libc::F_SEAL_SHRINK | libc::F_SEAL_SEAL;
    assert_eq!(make(all), Ok(4096));
    for missing in [
        libc::F_SEAL_WRITE,
        libc::F_SEAL_GROW,
        libc::F_SEAL_SHRINK,
        libc::F_SEAL_SEAL,
    ] {
        assert_eq!(make(all & !missing), Err(RS_ERR_PEER));
    }
    // The writer's old mapping would stay writable.
    let future = all & !libc::F_SEAL_WRITE | libc::F_SEAL_FUTURE_WRITE;
    assert_eq!(make(future), Err(RS_ERR_PEER));
}

#[test]
fn what_is_no_segment_is_refused() {
    let _alone = alone();
    let (segment, file) = Segment::new(4096).unwrap();
    assert_eq!(segment.ring_bytes(), 4096);
    assert_eq!(Segment::adopt(&file).unwrap().ring_bytes(), 4096);
    // Sealed, but of a size that no segment has.
    let image = sealed(&[0; 4096]);
    let image = image.descriptor().try_clone_to_owned().unwrap();
    assert_eq!(Segment::adopt(&image).err(), Some(RS_ERR_PEER));
    let null = OwnedFd::from(File::open("/dev/null").unwrap());
    assert_eq!(Segment::adopt(&null).err(), Some(RS_ERR_PEER));
    let (pipe, _) = std::io::pipe().unwrap();
    assert_eq!(
        Segment::adopt(&OwnedFd::from(pipe)).err(),
        Some(RS_ERR_PEER)
    );
}

#[test]
fn nobody_changes_the_size_of_a_segment() {
    let _alone = alone();
    let (_segment, file) = Segment::new(4096).unwrap();
    let file = File::from(file);
    for size in [0, 4096, 1 << 20] {
        assert!(file.set_len(size).is_err());
    }
}

#[test]
fn bytes_are_written_inside_only() {
    let _alone = alone();
    let mut bytes = Unsealed::new(10).unwrap();
    assert_eq!(bytes.write(0, &[0; 11]), Err(RS_ERR_ARGUMENT));
    assert_eq!(bytes.write(10, &[0]), Err(RS_ERR_ARGUMENT));
    assert_eq!(bytes.write(usize::MAX, &[0; 2]), Err(RS_ERR_ARGUMENT));
    assert_eq!(bytes.write(9, &[1]), Ok(()));
    assert_eq!(
        bytes.seal().unwrap().bytes(),
        [0, 0, 0, 0, 0, 0, 0, 0, 0, 1]
    );
    assert_eq!(Unsealed::new(0).err(), Some(RS_ERR_ARGUMENT));
}

/// Where the program that a test executes finds its channel.
const HANDOVER: &str = "VMSHARE_TEST_HANDOVER";

#[test]
fn a_program_that_is_executed_inherits_its_channel() {
    if let Ok(text) = std::env::var(HANDOVER) {
        // SAFETY: the parent, below, has left these two to this program.
        let handover = unsafe { Handover::of_text(&text) }.unwrap();
        return echo(Channel::adopt(handover, &options(4096)).unwrap());
    }
    let _alone = alone();
    let (mut channel, handover) = Channel::pair(&options(4096)).unwrap();
    let name = "descriptors::a_program_that_is_executed_inherits_its_channel";
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", name])
        .env(HANDOVER, handover.to_string());
    let mut handover = Some(handover);
    // SAFETY: only fcntl is called.
    unsafe {
        let handover = handover.take().unwrap();
        command.pre_exec(move || {
            handover
                .keep_on_exec()
                .map_err(|_| std::io::ErrorKind::Other.into())
        })
    };
    let mut child = command.stdout(std::process::Stdio::null()).spawn().unwrap();
    // With the command goes what was handed over.
    drop(command);
    channel.watch_child(child.id() as libc::pid_t).unwrap();
    let mut answer = buffer();
    channel.send(&mut soon(), 9, &[b"across exec"]).unwrap();
    assert_eq!(channel.receive(&mut soon(), &mut answer), Ok(9));
    assert_eq!(answer[..], b"across exec"[..]);
    drop(channel);
    assert!(child.wait().unwrap().success());
}

#[test]
fn texts_that_name_no_descriptors_are_refused() {
    let _alone = alone();
    for text in ["", ",", "3", "3,", "a,b", "-1,-2", "7,7", "1000000,1000001"] {
        // SAFETY: none of these is taken over.
        let taken = unsafe { Handover::of_text(text) };
        assert_eq!(taken.err(), Some(RS_ERR_ARGUMENT), "{text}");
    }
}

#[test]
fn a_channel_can_be_made_over_a_connected_socket() {
    let _alone = alone();
    let (first, second) = Socket::pair().unwrap();
    let early = receive_segment(&second, Deadline::NOW);
    assert_eq!(early.err(), Some(RS_ERR_TIMEOUT));
    let mut maker = Channel::serve(first.into_descriptor(), &options(4096)).unwrap();
    let segment = receive_segment(&second, Deadline::NEVER).unwrap();
    let mut joiner = Channel::join(second, segment, &options(4096)).unwrap();
    maker.send(&mut soon(), 4, &[b"accepted"]).unwrap();
    let mut message = buffer();
    assert_eq!(joiner.receive(&mut soon(), &mut message), Ok(4));
    assert_eq!(message[..], b"accepted"[..]);
}

#[test]
fn a_socket_of_another_kind_is_refused() {
    let _alone = alone();
    let (stream, _) = std::os::unix::net::UnixStream::pair().unwrap();
    let refused = Channel::serve(stream.into(), &options(4096));
    assert_eq!(refused.err(), Some(RS_ERR_UNSUPPORTED));
}

#[test]
fn a_child_that_makes_the_socket_blocking_blocks_nobody() {
    let _alone = alone();
    let (mut channel, child) = with_child(&options(4096), |mut channel| {
        let socket = channel.descriptor().unwrap().as_raw_fd();
        // Whichever descriptors there are: the socket is among them.
        for descriptor in 3..=socket {
            // SAFETY: no memory is passed.
            unsafe { libc::fcntl(descriptor, libc::F_SETFL, 0) };
        }
        channel.greet(&mut soon()).unwrap();
        echo(channel);
    });
    channel.greet(&mut soon()).unwrap();
    for _ in 0..10 {
        channel.woken().unwrap();
        assert_eq!(channel.try_receive(&mut buffer()), Ok(None));
    }
    channel.send(&mut soon(), 1, &[]).unwrap();
    assert_eq!(channel.receive(&mut soon(), &mut buffer()), Ok(1));
    drop(channel);
    child.join();
}

#[test]
fn no_descriptor_stays_open() {
    let _alone = alone();
    let before = open_descriptors();
    for _ in 0..10 {
        let (mut channel, child) = with_child(&options(4096), echo);
        channel.descriptor().unwrap();
        let image = sealed(b"never taken");
        channel
            .send_descriptor(&mut soon(), image.descriptor(), 1, &[])
            .unwrap();
        let received = channel.receive(&mut soon(), &mut buffer());
        assert_eq!(received, Ok(1));
        drop(channel);
        drop(child);
        let (mut maker, mut joiner) = both(&options(4096));
        maker
            .send_descriptor(&mut soon(), image.descriptor(), 1, &[])
            .unwrap();
        joiner.woken().unwrap();
    }
    assert_eq!(open_descriptors(), before);
}

#[test]
fn an_inherited_descriptor_is_closed_on_exec_unless_it_is_handed_over() {
    let _alone = alone();
    let (mut channel, handover) = Channel::pair(&options(4096)).unwrap();
    channel.descriptor().unwrap();
    let inherited = Command::new("ls").arg("/proc/self/fd").output().unwrap();
    let text = String::from_utf8(inherited.stdout).unwrap();
    for descriptor in [handover.segment.as_fd(), handover.socket.as_fd()] {
        let number = descriptor.as_raw_fd().to_string();
        assert!(
            !text.lines().any(|line| line == number),
            "{number} of {text}"
        );
    }
    let mut rest = String::new();
    (&inherited.stderr[..]).read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "");
}
