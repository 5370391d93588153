# A Perl program as others write them: it uses devices in all the ways that Perl has.  It knows nothing of devshim.
# Prints "ok NAME" for each check and ends with 1 if one failed.
use strict;
use warnings;
use Errno qw(EAGAIN EBADF ENOTTY ENXIO ERANGE ESPIPE);
use Fcntl qw(:DEFAULT :flock :mode :seek F_SETFL F_GETFL);
use IO::Handle;
use IO::Poll qw(POLLIN);
use IO::Select;
use IPC::Open3;
use POSIX ();

my ($METER, $BELL, $GPS, $I2C) = qw(/dev/meter0 /dev/bell0 /dev/ttyGPS0 /dev/i2c-7);
my @LINES = ("delta 4\n", "alpha 1\n", "charlie 3\n", "bravo 2\n");
my $READINGS = join '', @LINES;
my ($GET, $SET, $TURN, $COUNT, $WAIT) = (0x80086D01, 0x40046D02, 0xC8006D03, 0x6D04, 0x80046201);
my $failed = 0;

sub equal {
    my ($name, $what, $expected) = @_;
    $what = '(undef)' unless defined $what;
    if ($what eq $expected) {
        print "ok $name\n";
    } else {
        print "FAILED $name: '$what' instead of '$expected'\n";
        $failed = 1;
    }
}

sub fails { my ($name, $error, $result) = @_; equal($name, !$result && $! == $error ? 'as it should' : "$result, $!", 'as it should'); }

sub slurp { my ($mode, $path) = @_; open my $file, $mode, $path or return "$!"; local $/; return scalar <$file>; }

$| = 1;

# open, readline, read, print
equal 'slurp', slurp('<', $METER), $READINGS;
equal 'raw layer', slurp('<:raw', $METER), $READINGS;
equal 'unix layer', slurp('<:unix', $METER), $READINGS;
equal 'utf8 layer', slurp('<:encoding(UTF-8)', $METER), $READINGS;
open my $meter, '<', $METER or die;
my $line = <$meter>;
equal 'readline', $line, $LINES[0];
equal 'getc', getc($meter), 'a';
read $meter, my $some, 6;
equal 'read', $some, 'lpha 1';
my @rest = <$meter>;
equal 'list', join('', @rest), "\ncharlie 3\nbravo 2\n";
equal 'eof', eof($meter) ? 'yes' : 'no', 'yes';
close $meter;
my $out;
equal 'print', (open($out, '>', $METER) && print({$out} "40\n") && close $out) ? 'yes' : "$!", 'yes';
open $out, '>', $METER;
print {$out} "1000\n";
fails 'close tells of the failed write', ERANGE, close $out;
open $out, '>>', $METER and syswrite $out, "41\n";
equal 'append', close $out ? 'yes' : "$!", 'yes';
open my $both, '+<', $METER;
equal 'both: read', scalar <$both>, $LINES[0];
syswrite $both, "42\n";
close $both;

# sysopen and kin
sysopen my $raw, $METER, O_RDWR or die;
sysread $raw, $some, 7;
equal 'sysread', $some, 'delta 4';
sysread $raw, $some, 100, 7;
equal 'sysread at an offset', $some, $READINGS;
equal 'end of file', sysread($raw, $some, 1), 0;
equal 'syswrite', syswrite($raw, "77\n"), 3;
fails 'syswrite that fails', ERANGE, syswrite($raw, '1000');
fails 'sysseek', ESPIPE, sysseek($raw, 0, SEEK_SET);
my $state = pack 'i2', 0, 0;
equal 'ioctl out', ioctl($raw, $GET, $state), '0 but true';
equal 'ioctl out: what', join(' ', unpack 'i2', $state), '42 77';
my ($good, $bad) = (pack('i', 78), pack('i', 1000));
equal 'ioctl in', ioctl($raw, $SET, $good), '0 but true';
equal 'ioctl by value', ioctl($raw, $COUNT, 0), 4;
my $page = pack 'I a2044', 5, 'abcde';
equal 'ioctl with a large structure', ioctl($raw, $TURN, $page) . substr($page, 4, 5), '5edcba';
fails 'ioctl that fails', ERANGE, ioctl($raw, $SET, $bad);
fails 'unknown ioctl', ENOTTY, ioctl($raw, 0x6D77, 0);
close $raw;
sysopen $raw, $METER, O_RDONLY;
{
    no warnings 'io';
    fails 'write where only reading is open', EBADF, syswrite($raw, '1');
}
close $raw;
fails 'missing node', POSIX::ENOENT(), sysopen($raw, '/dev/meter1', O_RDONLY);

# files: tests, stat, lists
equal 'file tests', join('', map { $_ ? 1 : 0 } -e $METER, -c $METER, -f $METER, -d $METER, -r $METER, -w $METER, -x $METER), '1100110';
open $meter, '<', $METER;
my @by_name = stat $METER;
my @by_handle = stat $meter;
equal 'stat', "@by_handle[0 .. 6]", "@by_name[0 .. 6]";
equal 'type', S_ISCHR($by_name[2]) ? 'character' : 'other', 'character';
equal 'no terminal', -t $meter ? 'yes' : 'no', 'no';
open my $port, '+<', $GPS or die;
equal 'terminal', -t $port ? 'yes' : 'no', 'yes';
equal 'ttyname', POSIX::ttyname(fileno $port), $GPS;
close $port;
opendir my $dev, '/dev' or die;
my @names = readdir $dev;
closedir $dev;
equal 'readdir', join(' ', sort grep { /^(meter0|bell0|ttyGPS0|null)$/ } @names), 'bell0 meter0 null ttyGPS0';
equal 'glob', join(' ', glob '/dev/mete* /dev/ttyG*'), "$METER $GPS";
equal 'angle glob', join(' ', </dev/bel*>), $BELL;

# descriptors
open my $copy, '<&', $meter;
equal 'duplicate', scalar <$copy>, $LINES[0];
open my $alias, '<&=', fileno $meter;
equal 'fdopen', fileno $alias, fileno $meter;
close $copy;
open STDIN, '<', $METER or die;
equal 'STDIN', scalar <STDIN>, $LINES[0];
equal 'STDIN of a child', scalar(`tail -n 1`), '';
open STDIN, '<', $METER or die;
equal 'STDIN of a child that nobody read before', scalar(`tail -n 1`), $LINES[3];
{
    local @ARGV = ($METER, $METER);
    my $count = 0;
    $count++ while <>;
    equal 'the diamond', $count, 8;
}
open my $other, '<', $METER;
equal 'flock', flock($meter, LOCK_EX) ? 'yes' : "$!", 'yes';
fails 'flock of another', EAGAIN, flock($other, LOCK_EX | LOCK_NB);
close $meter;
close $alias;
equal 'flock after close', flock($other, LOCK_EX | LOCK_NB) ? 'yes' : "$!", 'yes';
close $other;

# waiting
sysopen my $bell, $BELL, O_RDWR or die;
syswrite $bell, "ring\n";
like_strike('blocking read', scalar <$bell>);
my $select = IO::Select->new($bell);
equal 'select before', scalar(my @none = $select->can_read(0)), 0;
syswrite $bell, "ring\n";
equal 'select', scalar(my @one = $select->can_read(10)), 1;
sysread $bell, $line, 100;
like_strike('select: read', $line);
my $poll = IO::Poll->new;
$poll->mask($bell => POLLIN);
equal 'poll before', $poll->poll(0), 0;
syswrite $bell, "ring\n";
equal 'poll', $poll->poll(10) . $poll->events($bell), 1 . POLLIN;
my $number = pack 'I', 0;
equal 'blocking ioctl', ioctl($bell, $WAIT, $number), '0 but true';
sysread $bell, $line, 100;
equal 'blocking ioctl: what', $line, sprintf("strike %d\n", unpack 'I', $number);
$bell->blocking(0);
fails 'read without blocking', EAGAIN, sysread($bell, $line, 100);
$bell->blocking(1);
$SIG{ALRM} = sub { die "late\n" };
eval { alarm 1; sysread $bell, $line, 100; alarm 0 };
equal 'alarm ends a read', $@, "late\n";
close $bell;

# a terminal
open $port, '+<', $GPS or die;
my $termios = POSIX::Termios->new;
$termios->getattr(fileno $port);
$termios->setlflag($termios->getlflag & ~(POSIX::ECHO() | POSIX::ICANON()));
$termios->setiflag(0);
$termios->setospeed(POSIX::B9600());
$termios->setattr(fileno $port, POSIX::TCSANOW());
$termios->getattr(fileno $port);
equal 'termios', $termios->getospeed, POSIX::B9600();
syswrite $port, "\$PMTK605*31\r\n";
my ($answer) = grep { /PMTK705/ } map { scalar <$port> } 1 .. 10;
equal 'dialogue', substr($answer // '', 0, 8), '$PMTK705';
close $port;

# a chip
sysopen my $bus, $I2C, O_RDWR or die;
ioctl $bus, 0x0703, 0x48;
syswrite $bus, "\0";
sysread $bus, $some, 2;
equal 'chip', unpack('H*', $some), '1580';
ioctl $bus, 0x0703, 0x49;
fails 'no chip', ENXIO, defined sysread($bus, $some, 2);
close $bus;

# other processes
equal 'backticks', scalar(`cat $METER`), $READINGS;
equal 'system', system("test -c $METER && echo 43 > $METER"), 0;
equal 'system that fails', system("(echo 1000 > $METER) 2> /dev/null") >> 8, 1;
open my $pipe, '-|', 'sort', $METER or die;
equal 'pipe from', scalar <$pipe>, "alpha 1\n";
close $pipe;
open $pipe, '|-', "cat > $METER" or die;
print {$pipe} "44\n";
equal 'pipe to', close $pipe ? 'yes' : "$!", 'yes';
my $child = open3(my $in, my $from, undef, 'cat', $METER);
equal 'open3', join('', <$from>), $READINGS;
waitpid $child, 0;
open $meter, '<', $METER;
if (my $forked = fork) {
    waitpid $forked, 0;
    equal 'fork', $? >> 8, 7;
    sysread $meter, $some, 7;
    equal 'fork shares the position', $some, 'alpha 1';
} else {
    sysread $meter, $some, 8;
    POSIX::_exit($some eq $LINES[0] ? 7 : 1);
}
$ENV{LD_PRELOAD} = '';
delete $ENV{DEVSHIM_RUN};
equal 'environment emptied', scalar(`cat $METER`), $READINGS;
exit $failed;

sub like_strike { my ($name, $what) = @_; equal($name, $what =~ /^strike [0-9]+\n$/ ? 'strike' : $what, 'strike'); }
