//! A Rust program as others write them, with the standard library alone: files, readers, threads, processes.
//! It knows nothing of devshim.  Prints "ok NAME" for each check and ends with 101 if one failed.

use std::collections::HashSet;
use std::ffi::CString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, ErrorKind, IoSlice, IoSliceMut, Read, Write};
use std::os::raw::{c_char, c_int, c_long, c_short, c_ulong, c_void};
use std::os::unix::fs::{FileExt, FileTypeExt, MetadataExt, OpenOptionsExt};
use std::os::unix::io::{AsFd, AsRawFd, FromRawFd, IntoRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{mpsc, Arc};
use std::thread;

const METER: &str = "/dev/meter0";
const BELL: &str = "/dev/bell0";
const GPS: &str = "/dev/ttyGPS0";
const I2C: &str = "/dev/i2c-7";
const READINGS: &str = "delta 4\nalpha 1\ncharlie 3\nbravo 2\n";
const GET: c_ulong = 0x80086D01;
const SET: c_ulong = 0x40046D02;
const TURN: c_ulong = 0xC8006D03;
const COUNT: c_ulong = 0x6D04;
const WAIT: c_ulong = 0x80046201;
const O_NONBLOCK: c_int = 0o4000;
const O_NOCTTY: c_int = 0o400;
const ENOTTY: i32 = 25;
const ERANGE: i32 = 34;
const EIO_OF_NOBODY: i32 = 6;

#[repr(C)]
struct State {
    reading: i32,
    limit: i32,
}

#[repr(C)]
struct Page {
    length: u32,
    text: [u8; 2044],
}

#[repr(C)]
struct PollFd {
    fd: c_int,
    events: c_short,
    revents: c_short,
}

extern "C" {
    fn ioctl(fd: c_int, request: c_ulong, ...) -> c_int;
    fn poll(fds: *mut PollFd, count: c_ulong, timeout: c_int) -> c_int;
    fn open(path: *const c_char, flags: c_int, ...) -> c_int;
    fn isatty(fd: c_int) -> c_int;
    fn syscall(number: c_long, ...) -> c_long;
    fn cfmakeraw(termios: *mut c_void);
    fn tcgetattr(fd: c_int, termios: *mut c_void) -> c_int;
    fn tcsetattr(fd: c_int, when: c_int, termios: *const c_void) -> c_int;
}

fn os_error<T>(result: io::Result<T>) -> i32 {
    result.err().expect("it should fail").raw_os_error().unwrap()
}

fn both() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    options
}

fn ring() {
    fs::write(BELL, "ring\n").unwrap();
}

fn files() -> io::Result<()> {
    assert_eq!(fs::read_to_string(METER)?, READINGS);
    assert_eq!(fs::read(METER)?, READINGS.as_bytes());
    let mut meter = both().open(METER)?;
    let mut room = [0; 100];
    assert_eq!(meter.read(&mut room[..8])?, 8);
    assert_eq!(&room[..8], b"delta 4\n");
    let (first, second) = room.split_at_mut(5);
    assert_eq!(meter.read_vectored(&mut [IoSliceMut::new(first), IoSliceMut::new(second)])?, READINGS.len() - 8);
    assert_eq!(meter.read(&mut room)?, 0);
    assert_eq!(meter.write(b"70\n")?, 3);
    assert_eq!(meter.write_vectored(&[IoSlice::new(b"7"), IoSlice::new(b"1\n")])?, 3);
    assert_eq!(os_error(meter.write(b"1000")), ERANGE);
    assert_eq!(os_error(meter.sync_all()), 22);
    assert_eq!(meter.write_at(b"72\n", 5)?, 3);
    assert_eq!(os_error(File::open("/dev/meter1")), 2);
    assert_eq!(both().create_new(true).open(METER).unwrap_err().kind(), ErrorKind::AlreadyExists);
    fs::write(METER, "73\n")?;
    OpenOptions::new().append(true).open(METER)?.write_all(b"74\n")
}

fn readers() -> io::Result<()> {
    let lines: Vec<String> = BufReader::new(File::open(METER)?).lines().collect::<io::Result<_>>()?;
    assert_eq!(lines, ["delta 4", "alpha 1", "charlie 3", "bravo 2"]);
    let mut words = BufReader::new(File::open(METER)?).split(b' ');
    assert_eq!(words.next().unwrap()?, b"delta");
    let mut writer = BufWriter::new(OpenOptions::new().write(true).open(METER)?);
    writeln!(writer, "{}", 75)?;
    writer.flush()?;
    writeln!(writer, "1000")?;
    assert_eq!(os_error(writer.flush()), ERANGE);
    let _ = writer.into_parts();
    let mut copied = Vec::new();
    assert_eq!(io::copy(&mut File::open(METER)?, &mut copied)?, READINGS.len() as u64);
    Ok(())
}

fn copies() -> io::Result<()> {
    let copy = std::env::temp_dir().join(format!("tour-{}", std::process::id()));
    io::copy(&mut File::open(METER)?, &mut File::create(&copy)?)?;
    assert_eq!(fs::read_to_string(&copy)?, READINGS);
    assert_eq!(fs::copy(METER, &copy).unwrap_err().kind(), ErrorKind::InvalidInput);
    fs::remove_file(&copy)
}

fn metadata() -> io::Result<()> {
    let meter = File::open(METER)?;
    let (by_file, by_path, of_link) = (meter.metadata()?, fs::metadata(METER)?, fs::symlink_metadata(METER)?);
    for one in [&by_path, &of_link] {
        assert!(one.file_type().is_char_device());
        assert_eq!((one.rdev(), one.ino(), one.dev(), one.mode()), (by_file.rdev(), by_file.ino(), by_file.dev(), by_file.mode()));
    }
    assert!(Path::new(METER).exists() && !Path::new(METER).is_file());
    assert_eq!(fs::canonicalize("/dev/../dev/./meter0")?, Path::new(METER));
    assert_eq!(unsafe { (isatty(meter.as_raw_fd()), isatty(File::open(GPS)?.as_raw_fd())) }, (0, 1));
    Ok(())
}

fn listings() -> io::Result<()> {
    let mut names = HashSet::new();
    for entry in fs::read_dir("/dev")? {
        let entry = entry?;
        if entry.file_name() == "meter0" {
            assert!(entry.file_type()?.is_char_device() && entry.metadata()?.file_type().is_char_device());
        }
        assert!(names.insert(entry.file_name().into_string().unwrap()), "twice: {entry:?}");
    }
    assert!(["meter0", "bell0", "ttyGPS0", "null"].iter().all(|name| names.contains(*name)));
    Ok(())
}

fn descriptors() -> io::Result<()> {
    let mut meter = File::open(METER)?;
    let mut copy = meter.try_clone()?;
    let owned: OwnedFd = meter.as_fd().try_clone_to_owned()?;
    let mut line = [0; 8];
    meter.read_exact(&mut line)?;
    copy.read_exact(&mut line)?;
    assert_eq!(&line, b"alpha 1\n");
    let mut again = unsafe { File::from_raw_fd(owned.into_raw_fd()) };
    again.read_exact(&mut line)?;
    assert_eq!(&line, b"charlie ");
    let path = CString::new(METER).unwrap();
    let mut by_c = unsafe { File::from_raw_fd(open(path.as_ptr(), 0)) };
    by_c.read_exact(&mut line)?;
    let mut by_call = unsafe { File::from_raw_fd(syscall(257, -100, path.as_ptr(), 0) as c_int) };
    by_call.read_exact(&mut line)?;
    assert_eq!(&line, b"delta 4\n");
    Ok(())
}

fn ioctls() -> io::Result<()> {
    let meter = both().open(METER)?;
    let fd = meter.as_raw_fd();
    let mut state = State { reading: 0, limit: 0 };
    let limit: c_int = 76;
    let too_much: c_int = 1000;
    let mut page = Page { length: 5, text: [b'x'; 2044] };
    page.text[..5].copy_from_slice(b"abcde");
    unsafe {
        assert_eq!(ioctl(fd, SET, &limit), 0);
        assert_eq!(ioctl(fd, GET, &mut state), 0);
        assert_eq!((state.reading, state.limit), (42, 76));
        assert_eq!(ioctl(fd, COUNT), 4);
        assert_eq!(ioctl(fd, TURN, &mut page), 5);
        assert_eq!(&page.text[..5], b"edcba");
        assert_eq!(ioctl(fd, SET, &too_much), -1);
        assert_eq!(io::Error::last_os_error().raw_os_error(), Some(ERANGE));
        assert_eq!(ioctl(fd, 0x6D77), -1);
        assert_eq!(io::Error::last_os_error().raw_os_error(), Some(ENOTTY));
    }
    Ok(())
}

fn ready(file: &File, timeout: c_int) -> bool {
    let mut fds = [PollFd { fd: file.as_raw_fd(), events: 1, revents: 0 }];
    unsafe { poll(fds.as_mut_ptr(), 1, timeout) == 1 && fds[0].revents == 1 }
}

fn waiting() -> io::Result<()> {
    let mut line = String::new();
    ring();
    BufReader::new(File::open(BELL)?).read_line(&mut line)?;
    assert!(line.starts_with("strike "));
    let mut bell = both().open(BELL)?;
    assert!(!ready(&bell, 0));
    ring();
    assert!(ready(&bell, 10000));
    let (mut number, mut room) = (0u32, [0; 100]);
    assert_eq!(unsafe { ioctl(bell.as_raw_fd(), WAIT, &mut number) }, 0);
    let size = bell.read(&mut room)?;
    assert_eq!(&room[..size], format!("strike {number}\n").as_bytes());
    let mut impatient = OpenOptions::new().read(true).custom_flags(O_NONBLOCK).open(BELL)?;
    assert_eq!(impatient.read(&mut room).unwrap_err().kind(), ErrorKind::WouldBlock);
    Ok(())
}

fn threads() -> io::Result<()> {
    let bell = Arc::new(both().open(BELL)?);
    let (sender, receiver) = mpsc::channel();
    for _ in 0..4 {
        let (bell, sender) = (bell.clone(), sender.clone());
        thread::spawn(move || {
            let mut room = [0; 100];
            let size = (&*bell).read(&mut room).unwrap();
            sender.send(String::from_utf8_lossy(&room[..size]).into_owned()).unwrap();
        });
    }
    (&*bell).write_all(b"\n\n\n\n")?;
    let heard: HashSet<String> = (0..4).map(|_| receiver.recv().unwrap()).collect();
    assert!(heard.len() == 4 && heard.iter().all(|line| line.starts_with("strike ")));
    Ok(())
}

fn terminal() -> io::Result<()> {
    let mut port = both().custom_flags(O_NOCTTY).open(GPS)?;
    let mut termios = [0u64; 16];
    unsafe {
        assert_eq!(tcgetattr(port.as_raw_fd(), termios.as_mut_ptr().cast()), 0);
        cfmakeraw(termios.as_mut_ptr().cast());
        assert_eq!(tcsetattr(port.as_raw_fd(), 0, termios.as_ptr().cast()), 0);
    }
    port.write_all(b"$PMTK605*31\r\n")?;
    let mut found = (false, false);
    for line in BufReader::new(port).lines() {
        let line = line?;
        found.0 |= line.starts_with("$PMTK705");
        found.1 |= line.starts_with("$GPRMC") && line.contains("5231.2000,N");
        if found == (true, true) {
            break;
        }
    }
    Ok(())
}

fn chip() -> io::Result<()> {
    let mut bus = both().open(I2C)?;
    let mut word = [0; 2];
    assert_eq!(unsafe { ioctl(bus.as_raw_fd(), 0x0703, 0x48 as c_ulong) }, 0);
    bus.write_all(&[0])?;
    bus.read_exact(&mut word)?;
    assert_eq!(word, [0x15, 0x80]);
    assert_eq!(unsafe { ioctl(bus.as_raw_fd(), 0x0703, 0x49 as c_ulong) }, 0);
    assert_eq!(os_error(bus.read(&mut word)), EIO_OF_NOBODY);
    Ok(())
}

fn output(command: &mut Command) -> io::Result<(String, Option<i32>)> {
    let output = command.output()?;
    Ok((String::from_utf8(output.stdout).unwrap(), output.status.code()))
}

fn processes() -> io::Result<()> {
    assert_eq!(output(Command::new("cat").arg(METER))?, (READINGS.into(), Some(0)));
    assert_eq!(output(Command::new("sort").stdin(File::open(METER)?))?.0, "alpha 1\nbravo 2\ncharlie 3\ndelta 4\n");
    assert_eq!(output(Command::new("/bin/cat").arg(METER).env_clear())?.0, READINGS);
    assert_eq!(output(Command::new("cat").arg("meter0").current_dir("/dev"))?.0, READINGS);
    assert_eq!(output(Command::new("sh").arg("-c").arg(format!("echo 77 > {METER}; exit 7")))?.1, Some(7));
    let to_meter = Command::new("echo").arg("78").stdout(OpenOptions::new().write(true).open(METER)?).status()?;
    assert!(to_meter.success());
    // With a hook between fork and exec, where the standard library cannot use posix_spawn.
    let mut hooked = Command::new("head");
    unsafe { hooked.arg("-n1").stdin(File::open(METER)?).pre_exec(|| Ok(())) };
    assert_eq!(output(&mut hooked)?.0, "delta 4\n");
    let mut child = Command::new("cat").stdin(File::open(METER)?).stdout(Stdio::piped()).spawn()?;
    let mut text = String::new();
    child.stdout.take().unwrap().read_to_string(&mut text)?;
    assert_eq!((text.as_str(), child.wait()?.code()), (READINGS, Some(0)));
    Ok(())
}

fn standard_input() -> io::Result<()> {
    let text: io::Result<Vec<String>> = io::stdin().lock().lines().collect();
    assert_eq!(text?.join("\n") + "\n", READINGS);
    Ok(())
}

fn main() {
    let checks: [(&str, fn() -> io::Result<()>); 12] = [
        ("files", files),
        ("readers", readers),
        ("copies", copies),
        ("metadata", metadata),
        ("listings", listings),
        ("descriptors", descriptors),
        ("ioctls", ioctls),
        ("waiting", waiting),
        ("threads", threads),
        ("terminal", terminal),
        ("chip", chip),
        ("processes", processes),
    ];
    if std::env::args().any(|word| word == "stdin") {
        standard_input().unwrap();
        println!("ok stdin");
        return;
    }
    for (name, check) in checks {
        check().unwrap_or_else(|error| panic!("{name}: {error}"));
        println!("ok {name}");
    }
    let own = std::env::current_exe().unwrap();
    assert!(Command::new(own).arg("stdin").stdin(File::open(METER).unwrap()).status().unwrap().success());
}
