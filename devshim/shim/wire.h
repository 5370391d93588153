/* wire.h: what the shim and the host say to each other, and where it lies in shared memory.
 *
 * Twin of host/wire.py: tests/host/test_wire.py compiles this file and compares every size and offset.
 * Change a layout here: change it there, and raise WIRE_VERSION.
 *
 *   registry   one file per run, read-only in the target: what is plugged, which carriers are devices
 *   bell       one page per run: the host's doorbell
 *   channel    one mapping per process: slots, each one conversation at a time
 *   socket     $DEVSHIM_RUN/socket: bootstrap, opens, and whatever needs a descriptor handed over
 *   quiet      $DEVSHIM_RUN/quiet: the same, for who has a channel: the host looks there when told to (NOTE_LOOK)
 *   ring       $DEVSHIM_RUN/ring: while a run is recorded, what its programs say of their calls */
#ifndef DEVSHIM_WIRE_H
#define DEVSHIM_WIRE_H

#include <stdint.h>

#define WIRE_MAGIC   0x6d696873u /* "shim" */
#define WIRE_VERSION 5

/* ---- Registry -------------------------------------------------------------------------------- */

#define REGISTRY_SIZE   (16u << 20)
#define MAX_NODES       65536u  /* slots of an open-addressed table keyed by path; a power of two */
#define MAX_CARRIERS    65536u  /* slots of an open-addressed table keyed by inode; a power of two */
#define MAX_DEVICES     32768u

enum registry_flag {
    REGISTRY_PENDING = 128,   /* what is plugged is not yet laid out below /sys and /run: HELLO_PICTURE first */
    REGISTRY_SHADOWS = 1,      /* a plugged node has a real one of the same name beneath it */
    REGISTRY_GUARD = 2,       /* --deny or --only-plugged: ask the host before a real node is opened */
    REGISTRY_IN_PROCESS = 32, /* --in-process: whoever opens a node brings a host into its own process first */
    REGISTRY_RECORDS = 4,     /* there is a ring: calls on devices with DEVICE_RECORD go there */
    REGISTRY_RECORDS_ALL = 8, /* ask the host before a real node is opened that is not recorded yet: it may add it */
    REGISTRY_ASKS = 64,       /* there are devices with DEVICE_ASKS */
    REGISTRY_OPENINGS = 256,  /* paths that match a declared pattern are asked for before they are opened */
    REGISTRY_HOOKS = 512,     /* --in-process: bring the host in before main(), for it replaces functions */
    REGISTRY_URGENT = 1024    /* an attribute of /sys has been opened: POLLERR comes with its POLLPRI (urgent.c) */
};

struct registry {
    uint32_t magic, version;
    uint32_t ready;       /* futex word; 1 when all is plugged */
    uint32_t flags;       /* enum registry_flag */
    uint32_t host_pid;
    uint32_t changes;     /* counts plug and unplug */
    uint32_t root_length; /* of the text at roots: directories (with their "/") below which nodes live, each NUL-ended */
    uint32_t declared;    /* offset in the text area of what model files declare: shell patterns of openings, each
                           * NUL-ended, the last one empty; then in the same way names of hooked functions */
    uint64_t nodes_at, carriers_at, devices_at, text_at, text_used; /* offsets from here */
    char roots[512];
    uint64_t present[REGISTRY_SIZE / 4096 / 64]; /* a bit for each 4 KiB that have room on the disk; all else is free entries,
                                                  * at which nobody looks: on a full disk that would be SIGBUS */
    uint64_t apart[7];
    uint64_t moves; /* counts what may have changed an answer that stands (ANSWER_STANDS); 0: none does. In a cache line of
                     * its own, because it changes with each call that does not only ask */
    uint64_t behind[7];
};

enum node_kind {
    NODE_FREE = 0,
    NODE_DEVICE,  /* open() goes to the host; stat() to the placeholder below $DEVSHIM_RUN/tree */
    NODE_TREE,    /* a directory, link or file that exists only below $DEVSHIM_RUN/tree, and all in it unless entered */
    NODE_MERGED,  /* a directory that exists really, with plugged entries beside the real ones */
    NODE_HIDDEN,  /* answers ENOENT although something real is there */
    NODE_GONE,    /* tombstone */
    NODE_MASKED,  /* as NODE_MERGED, but of the real entries only those of kind NODE_PASSED and merged ones are seen */
    NODE_PASSED   /* something real that is seen, with all below it, in a directory that is masked */
};

struct node {
    uint32_t kind; /* enum node_kind; written last */
    uint32_t hash; /* FNV-1a, 32 bits, of the path */
    uint32_t path; /* offset in the text area; absolute, normal, NUL-ended */
    uint16_t length;
    uint16_t directory; /* 1: NODE_TREE, and surely no link */
    uint32_t device; /* index; NODE_DEVICE only */
};

/* What the shim takes out of the kernel's hands for a device. What is not named here goes to the carrier. */
enum device_flag {
    DEVICE_READ = 1,   /* read family */
    DEVICE_WRITE = 2,  /* write family */
    DEVICE_SEEK = 4,   /* lseek, pread and pwrite positions */
    DEVICE_TTY = 8,    /* carrier is a pty: shared by all opens of the device */
    DEVICE_STREAM = 32, /* the carrier itself holds what is read, in records */
    DEVICE_REPORT = 16, /* tell the host of native reads and writes too (-v, recording) */
    DEVICE_PLAIN = 64,  /* opened for reading it is its placeholder, an ordinary file: the host answers writers */
    DEVICE_MONITOR = 128, /* no device: the carrier stands in for a netlink socket of uevents (wrap_netlink.c) */
    DEVICE_RECORD = 256,  /* calls on it are recorded */
    DEVICE_HARDWARE = 512, /* a real node that is recorded: its carriers are the program's own, the kernel answers */
    DEVICE_ASKS = 4096    /* tell the host before a call waits in the kernel: replay may know that nothing will come */
};

struct device {
    uint32_t flags;       /* enum device_flag */
    uint32_t mode;        /* file type and permission bits; the type overlays the placeholder's */
    uint64_t rdev;        /* as st_rdev */
    uint32_t path;        /* offset in the text area */
    uint32_t ioctls;      /* offset in the text area of its struct ioctl_table; 0: none */
    uint32_t record;      /* DEVICE_STREAM: bytes of one record; a read takes whole ones */
    uint32_t gone;        /* DEVICE_STREAM: the errno of a read when the device has gone */
};

#define CARRIER_FREE 0u
#define CARRIER_GONE 1u /* tombstone: no inode that could be a carrier has this number */

/* What an ioctl on recorded hardware has opened has an anonymous inode, which many share: it stands for by a carrier
 * with this dev, and the device's index as its inode. */
#define CARRIER_ANONYMOUS UINT64_MAX
#define FIRST_ANONYMOUS   16u /* is added to the index */

#define CARRIER_NAMED 0x80000000u /* in access: opened by a name, for which the kernel adds O_LARGEFILE */

struct carrier {
    uint64_t inode; /* key; written last */
    uint64_t dev;
    uint64_t born;  /* pty: st_ctime in ns when it was made, for /dev/pts numbers are used again */
    uint32_t device;
    uint32_t file;  /* a socket carrier's file number; for a pty the device's */
    uint32_t access; /* what F_GETFL shows of the open and cannot change, with CARRIER_NAMED; O_PATH for a placeholder */
    uint32_t tag;   /* what F_GETSIG says of it and of no other open file of the run, unless the program sets it; 0: none */
};

/* ---- What an ioctl's argument looks like ------------------------------------------------------ */

enum ioctl_flag {
    IOCTL_IN = 1,          /* the argument is read from the target */
    IOCTL_OUT = 2,         /* and written back */
    IOCTL_VALUE = 4,       /* the argument itself is the value; nothing is copied */
    IOCTL_NATIVE = 8,      /* the carrier's kernel answers; the host is not asked */
    IOCTL_SIZED = 16,      /* size is in the number: _IOC_SIZE(request) */
    IOCTL_OPENS = 32,      /* it opens a file: its descriptor is the result, or stands at place in the argument */
    IOCTL_FOLLOWS = 128,   /* its pointers are those of the answer: who records follows them when the call has returned */
    IOCTL_FILLS = 64       /* its answer may fill memory that earlier calls named (struct kept): as much room as there is */
};

#define RESULT_PLACE UINT32_MAX

struct ioctl_table {
    uint32_t exact;    /* entries sorted by request, mask ~0; they come first */
    uint32_t patterns; /* entries compared as (request & mask) == entry.request, in order */
    uint32_t pointers; /* struct ioctl_pointer, behind the entries */
    uint32_t lengths;  /* uint32_t, behind the pointers */
};

struct ioctl_entry {
    uint32_t request, mask;
    uint32_t size;         /* bytes at the argument; with IOCTL_SIZED those of one of its elements */
    uint16_t flags;        /* enum ioctl_flag */
    uint16_t pointers;     /* how many */
    uint32_t first_pointer; /* index of its first struct ioctl_pointer; parents come before children */
    uint32_t place;        /* IOCTL_OPENS: where the descriptor's number goes; RESULT_PLACE: it is the result */
};

enum pointer_flag {
    POINTER_IN = 1,
    POINTER_OUT = 2,
    POINTER_OPTIONAL = 4 /* NULL reaches the model as None; else NULL with a length is EFAULT */
};

enum length_kind {
    LENGTH_CONSTANT = 0, /* elements = length */
    LENGTH_MEMBER = 1,   /* elements = the member at length_offset, width length_width */
    LENGTH_TABLE = 2,    /* elements = lengths[length + member]; a member beyond length_count: 0 */
    LENGTH_STRING = 3    /* up to and including the NUL, at most length */
};

struct ioctl_pointer {
    uint32_t parent;       /* 0: the argument; k: the k-th pointer of this entry, from 1 */
    uint32_t offset;       /* of the pointer in its parent's element */
    uint32_t element;      /* bytes of one element it points to */
    uint16_t flags;        /* enum pointer_flag */
    uint8_t  width;        /* bytes of the pointer itself: 4 or 8; 0: no pointer, the elements lie here */
    uint8_t  length_kind;  /* enum length_kind */
    uint32_t length;
    uint32_t length_offset; /* in the parent's element */
    uint32_t length_width;
    uint32_t length_count;
    uint32_t when_offset;  /* in the parent's element: it is a pointer only where this member ... */
    uint32_t when_width;   /* (0: always) */
    uint32_t when_first;   /* ... is at least this ... */
    uint32_t when_last;    /* ... and at most that */
};

/* An ioctl's argument travels as: struct segments, the segment heads, then their bytes (each 8-aligned).
 * Segment 0 is the argument; then, pointer by pointer in table order, one for each element of its parent.
 * The host answers in the same room, with SEGMENT_WRITE on what goes back and from/to the changed bytes. */
#define MAX_SEGMENTS 256u

enum segment_flag { SEGMENT_NULL = 1, SEGMENT_WRITE = 2 };

struct segment {
    uint32_t at;     /* from the start of the data area */
    uint32_t length; /* bytes */
    uint32_t flags;  /* enum segment_flag */
    uint32_t from, to; /* in an answer: the bytes to write back */
    uint32_t reserved;
};

struct segments {
    uint32_t count;
    uint32_t kept; /* in an answer: where the first struct kept lies, from the start of the data area; 0: none */
};

/* In an answer: bytes for memory of the program that an earlier call named, in its argument's address or a pointer there.
 * They follow right behind. The process that gets the answer is the one whose memory is written. */
struct kept {
    uint64_t address;
    uint32_t length;
    uint32_t next; /* where the next one lies, further on; 0: none */
};

/* ---- Bell and channel -------------------------------------------------------------------------- */

#define MAX_PROCESSES 4096u
#define SLOTS         128u
#define SLOT_SIZE     8192u
#define SLOT_HEAD     256u
#define SLOT_DATA     (SLOT_SIZE - SLOT_HEAD)
#define CHANNEL_HEAD  4096u
#define LARGE_DATA    (4u << 20) /* a slot's room for what does not fit into it; mapped when first needed */
#define CHANNEL_SMALL (CHANNEL_HEAD + SLOTS * SLOT_SIZE)
#define CHANNEL_SIZE  ((uint64_t)CHANNEL_SMALL + (uint64_t)SLOTS * LARGE_DATA)

#define BELL_TOLD 2u

struct bell {
    uint32_t rung;      /* futex word: counts rings */
    uint32_t sleeping;  /* the host waits in the kernel for it */
    uint32_t cpu;       /* where the host's thread runs */
    uint32_t gone;      /* the host has ended; BELL_TOLD once one of the run's processes has said so */
    uint64_t summary __attribute__((aligned(64)));  /* bit i: pending[i] is not 0 */
    uint64_t pending[MAX_PROCESSES / 64] __attribute__((aligned(64)));
};

struct channel {
    uint32_t magic, version;
    uint32_t process; /* index in the bell */
    uint32_t rooms;   /* slots from 0 on that have a large room: all, unless RLIMIT_AS is small */
    uint64_t pending[SLOTS / 64] __attribute__((aligned(64)));
};

/* Only forward, within one generation:  idle -> request -> serving -> answer -> idle. The host claims a request by
 * compare-and-swap before it looks at it, and the target takes one back that was abandoned (siglongjmp) likewise. */
enum slot_state { SLOT_IDLE = 0, SLOT_REQUEST = 1, SLOT_SERVING = 2, SLOT_ANSWER = 3 };

enum op {
    OP_READ = 1,  /* size bytes at position offset (-1: the file's own) */
    OP_WRITE,     /* size bytes of data */
    OP_IOCTL,     /* request; argument: a value, or segments in data */
    OP_SEEK,      /* offset, whence in request */
    OP_POLL,      /* answer: ready bits; the host sends a fresh token where the file is readable */
    OP_REPORT,    /* a native call that is over: what in request, result, data */
    OP_NOTE,      /* a node that was looked for and nobody plugged: path in data, errno or NOTE_... in request */
    OP_LOCK,      /* flock's operation in request, with enum lock_flag; argument: the asking process */
    OP_WAITS      /* DEVICE_ASKS: a call is about to wait in the kernel; request: OP_READ, OP_WRITE, OP_IOCTL or OP_POLL,
                   * with enum waits_flag */
};

/* Of a wait that other descriptors, or a time-out in a long while, may end as well: it has a beginning and an end. */
enum waits_flag {
    WAITS_BESIDE = 0x100,
    WAITS_OVER = 0x200
};

#define NOTE_MAY    UINT32_MAX       /* it is about to be opened: may it? */
#define NOTE_RECORD (UINT32_MAX - 1) /* the same, and it is not recorded: result: its index, if it is from now on */
#define NOTE_OPENING (UINT32_MAX - 2) /* a path that matches a pattern of REGISTRY_OPENINGS is about to be opened: data is
                                       * struct opening_note and the path; ANSWER_REAL, ANSWER_FILE or an errno */
#define NOTE_LOOK (UINT32_MAX - 3)    /* somebody asks at the quiet socket; no path */
#define NOTE_WATCH (UINT32_MAX - 4)   /* somebody is about to watch opens and closes of nodes; no path */

struct opening_note {
    uint32_t flags, mode; /* of open(2) */
};

/* What OP_LOCK is about where it is not a lock of flock(2). */
enum lock_flag {
    LOCK_OF_PROCESS = 0x100, /* fcntl(2): F_SETLK and its kin, lockf(3) */
    LOCK_OF_FILE = 0x200,    /* F_OFD_SETLK and its kin: they and the former meet, flock's meet neither */
    LOCK_TEST = 0x400        /* take nothing; result: who is in the way, (process << 8 | LOCK_SH or LOCK_EX), or 0 */
};

enum answer_flag {
    ANSWER_WAIT = 1,     /* nothing yet: EAGAIN, or wait and ask again */
    ANSWER_REAL = 2,     /* make the real call on the carrier */
    ANSWER_DRAIN = 4,    /* not readable any more: take the tokens up to token out of the carrier */
    ANSWER_FILE = 8,     /* a new file: fetch its carrier from the socket with ticket token */
    ANSWER_TICKET = 16,  /* with WAIT: there is no carrier to wait on; fetch a socket with ticket token */
    ANSWER_FULL = 32,   /* not writable any more: fill the carrier's send side */
    ANSWER_AGAIN = 64,  /* OP_IOCTL: its description has changed; collect the argument anew and ask again */
    ANSWER_SEEN = 128,  /* nothing is urgent any more (POLLPRI): take the mark out of the carrier */
    ANSWER_STANDS = 256, /* OP_IOCTL: who asks the same gets the same, unseen, as long as the registry's moves are token */
    ANSWER_CARRIER = 512, /* HELLO_OPEN: the connection itself is the carrier from here on; it shall have the tag */
    ANSWER_CHANNEL = 1024 /* with CARRIER: two descriptors come with it, the channel and the bell */
};

struct slot {
    /* Written by the target. */
    uint32_t state;     /* futex word: enum slot_state */
    uint32_t sleeping;  /* the target waits in the kernel for the answer */
    uint32_t owner;     /* thread id; 0: nobody. Taken by compare-and-swap */
    uint32_t generation;
    uint64_t frame;     /* the owner's stack address, for what siglongjmp left behind */
    uint16_t op;        /* enum op */
    uint16_t nonblock;  /* 1: the caller will not wait */
    uint32_t file;      /* file number */
    uint32_t device;
    uint32_t request;
    uint64_t argument;
    int64_t  offset;
    uint32_t size;      /* bytes asked for, or bytes of data */
    uint32_t room;      /* bytes of data that an answer may fill */
    uint32_t large;     /* data lies in the slot's large room */
    uint32_t cpu;
    uint32_t thread;    /* the target's thread id */
    uint32_t reserved;
    /* Written by the host. */
    int64_t  result __attribute__((aligned(64)));
    int32_t  error;     /* errno, 0: none */
    uint32_t flags;     /* enum answer_flag */
    uint64_t token;
    uint32_t length;    /* bytes of data */
    uint32_t answered;  /* the generation that this answers */
    uint32_t place;     /* with FILE: where the descriptor's number goes in the ioctl's argument; ~0: it is the result */
    uint32_t watched __attribute__((aligned(64))); /* the host looks at state itself: no need to ring */
    uint8_t data[] __attribute__((aligned(64)));
};

/* ---- Socket: one request, one answer, closed unless it becomes a carrier ------------------------- */

enum hello {
    HELLO_CHANNEL = 1, /* answer: two descriptors, the channel and the bell */
    HELLO_OPEN,        /* path, flags, mode -> a carrier */
    HELLO_TICKET,      /* token -> a descriptor promised by an answer */
    HELLO_MONITOR,     /* a datagram socket that stands in for one of NETLINK_KOBJECT_UEVENT */
    HELLO_PICTURE,     /* lay out what is pending (REGISTRY_PENDING); answer: any descriptor */
    HELLO_OPENING      /* path, flags, mode -> as NOTE_OPENING, with a descriptor at once; ANSWER_REAL comes with an errno */
};

#define HELLO_FOR_PARENT 1u /* flags of HELLO_CHANNEL: a vfork child asks, and runs in its parent's memory */

#define HELLO_PATH 4096u

/* What a program's bind() of such a socket becomes: a datagram to the host. */
#define MONITOR_MARK "dsgroups"

struct monitor_groups {
    char mark[8];
    uint32_t groups;
};

struct hello_request {
    uint32_t magic, version;
    uint32_t what;    /* enum hello */
    uint32_t abi;     /* bytes of a pointer */
    uint32_t flags;   /* open flags */
    uint32_t mode;
    uint64_t ticket;
    uint32_t length;  /* of path, which follows without its NUL */
    uint32_t thread;
    uint64_t inode;   /* of the asking end, which may become a carrier; 0: it may not */
    uint64_t channel; /* HELLO_OPEN: 1: the process has none yet, and takes one with the carrier */
};

struct hello_answer {
    uint32_t magic;
    int32_t  error;   /* errno; 0: a descriptor comes with it */
    uint32_t flags;   /* enum answer_flag */
    uint32_t file;
    uint32_t device;  /* index */
    uint32_t device_flags;
    uint32_t tag;     /* ANSWER_CARRIER: that of struct carrier, for F_SETSIG */
};

/* ---- Recording: the ring, which all processes of a run share --------------------------------------- */

#define RING_HEAD    4096u         /* the records lie behind it */
#define RING_SIZE    (32u << 20)   /* or less by halves, where there is no room for that */
#define RING_LEAST   (1u << 20)
#define RECORD_MAGIC 0x64726f6365726b21ull
#define RECORD_DATA  (128u << 10)  /* most data of one record; longer data goes in pieces */

/* Positions only grow; a record lies at position % size, and goes on at the start of the ring where it meets its end. */
struct ring {
    uint32_t magic, version;
    uint64_t size;      /* of the records' room: a power of two */
    uint64_t started;   /* CLOCK_MONOTONIC, ns */
    uint32_t files;     /* numbers given to open files so far */
    uint32_t processes; /* numbers given to processes */
    uint32_t closed;    /* nobody takes records out any more */
    uint32_t lost;      /* calls that were not recorded because nobody did */
    uint32_t waits;     /* how often a call had to wait for room */
    uint32_t reserved;
    uint64_t head __attribute__((aligned(64))); /* where the next record goes */
    uint64_t tail __attribute__((aligned(64))); /* before it all is taken out */
    uint32_t freed;     /* futex word: counts moves of tail */
    uint32_t waiting;   /* somebody waits for that */
    uint32_t filled __attribute__((aligned(64))); /* futex word: counts "a good part is full" */
    uint32_t sleeping;  /* the recorder waits for that */
};

enum record_kind {
    RECORD_BEGIN = 1, /* a call begins; its number is its position */
    RECORD_MORE,      /* a piece of the data of the coming END (call: 1) with this number */
    RECORD_END,       /* the call with this number has returned */
    RECORD_PROCESS,   /* a process takes part; the process that started it, pid; data: its program's name */
    RECORD_LOST,      /* a call that cannot be recorded; data: its name */
    RECORD_PAD        /* nothing; has state, length and kind alone */
};

/* first, second, third of BEGIN, and its data; END has the result as its first, and as data what came. */
enum record_call {
    CALL_OPEN = 1,  /* flags, mode; path as the program wrote it */
    CALL_INHERIT,   /* flags */
    CALL_READ,      /* size, offset or -1 */
    CALL_WRITE,     /* size, offset or -1; END: the bytes */
    CALL_SEEK,      /* offset, whence */
    CALL_IOCTL,     /* request, argument, bits of its words that look like pointers; memory (struct segments) before;
                     * END: result, place of a new descriptor; memory after, where SEGMENT_WRITE stands */
    CALL_POLL,      /* asked, time-out in ns or -1; END: ready bits */
    CALL_CLOSE,
    CALL_MMAP,      /* size, offset, flags << 32 | protection */
    CALL_FLOCK,     /* operation */
    CALL_FCNTL,     /* command, type of lock */
    CALL_FSYNC,
    CALL_FDATASYNC,
    CALL_FTRUNCATE  /* size */
};

enum record_flag {
    RECORD_INCOMPLETE = 1, /* memory is missing that the call passes */
    RECORD_VALUE = 2,      /* CALL_IOCTL: the argument is a value */
    RECORD_OUT = 4         /* CALL_IOCTL: there is memory that the call may change */
};

struct record {
    uint64_t state;    /* RECORD_MAGIC ^ position once all is there; written last */
    uint32_t length;   /* of all, a multiple of 8 */
    uint16_t kind;     /* enum record_kind */
    uint16_t call;     /* enum record_call */
    uint64_t number;
    uint64_t time;     /* CLOCK_MONOTONIC, ns */
    uint32_t process, thread; /* by first appearance, from 1 */
    uint32_t file;     /* number, from 1; 0: none */
    uint32_t device;   /* index */
    uint32_t flags;    /* enum record_flag */
    int32_t  error;    /* errno, 0: none */
    uint32_t data;     /* bytes that follow */
    uint32_t new_file; /* END of an ioctl that opened one: its number */
    int64_t  first, second, third;
};

#endif
