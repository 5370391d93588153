/* supervisable.c: tells programs that the shim cannot be loaded into by the beginnings of their files. elf(5) */
#include "supervisable.h"

#include <elf.h>
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/syscall.h>

#include "interposed.h"
#include "paths.h"
#include "registry.h"
#include "supervised.h"

enum {
    LONGEST_ORDER = 32, /* before the path */
    LOOKED_AT = 4096,  /* headers, the loader's name and Go's note lie at a file's beginning */
    LONGEST_LINE = 256 /* BINPRM_BUF_SIZE of linux/binfmts.h */
};

#if defined(__x86_64__)
#define MACHINE EM_X86_64
#elif defined(__aarch64__)
#define MACHINE EM_AARCH64
#else
#define MACHINE EM_NONE
#endif

enum kind { TAKES_SHIM, SUPERVISED, SUPERVISED_BARE /* its loader does not bear LD_PRELOAD */ };

/* ---- The file -------------------------------------------------------------------------------------- */

/* glibc's, by its names on all machines. */
static bool is_loader(const char *path)
{
    static const char *const beginnings[] = { "ld-linux", "ld64", "ld.so", "ld-2" };
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;

    for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings; i++)
        if (strncmp(name, beginnings[i], strlen(beginnings[i])) == 0)
            return true;
    return false;
}

/* Type and owner of the note that Go's linker writes, as they follow each other (its cmd/internal/buildid). */
static bool has_go_note(const char *notes, size_t size)
{
    return memmem(notes, size, "\4\0\0\0Go\0", 8) != NULL;
}

static enum kind kind_of_elf(const char *path, const char *start, size_t size)
{
    Elf64_Ehdr head;
    Elf64_Phdr part;
    const char *loader = NULL;
    bool go = false;

    if (size < sizeof head)
        return TAKES_SHIM;
    memcpy(&head, start, sizeof head);
    if (head.e_ident[EI_CLASS] != ELFCLASS64 || head.e_machine != MACHINE || head.e_phentsize != sizeof part
        || (head.e_type != ET_EXEC && head.e_type != ET_DYN))
        return TAKES_SHIM;
    for (unsigned i = 0; i < head.e_phnum; i++) {
        size_t at = head.e_phoff + i * sizeof part;
        if (at > size - sizeof part)
            break;
        memcpy(&part, start + at, sizeof part);
        if (part.p_offset > size || part.p_filesz > size - part.p_offset)
            continue;
        if (part.p_type == PT_INTERP && memchr(start + part.p_offset, '\0', part.p_filesz))
            loader = start + part.p_offset;
        if (part.p_type == PT_NOTE)
            go = go || has_go_note(start + part.p_offset, part.p_filesz);
    }
    if (!loader)
        return is_loader(path) ? TAKES_SHIM : SUPERVISED;
    return !is_loader(loader) ? SUPERVISED_BARE : go ? SUPERVISED : TAKES_SHIM;
}

/* Its rights would be lost, because nobody may supervise what runs with more than his own. */
static bool has_more_rights(int fd)
{
    struct stat status;
    return real.syscall(SYS_fstat, fd, &status) < 0 || (status.st_mode & S_ISUID)
           || (status.st_mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP)
           || real.syscall(SYS_fgetxattr, fd, "security.capability", NULL, 0ul) >= 0;
}

/* The path in a script's first line; false where there is none. */
static bool read_interpreter(const char *start, char path[LONGEST_LINE])
{
    const char *at = start + 2 + strspn(start + 2, " \t");
    size_t length = strcspn(at, " \t\n");

    if (!at[length] || length >= LONGEST_LINE)
        return false;
    memcpy(path, at, length);
    path[length] = '\0';
    return true;
}

/* interpreter: "", or where the file is a script what runs it. */
static enum kind look_at(int dirfd, const char *path, char interpreter[LONGEST_LINE])
{
    char start[LOOKED_AT];
    enum kind kind = TAKES_SHIM;

    interpreter[0] = '\0';
    int fd = (int)real.syscall(SYS_openat, dirfd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return kind;
    ssize_t size = real.syscall(SYS_pread64, fd, start, sizeof start - 1, 0l);
    if (size > SELFMAG && memcmp(start, ELFMAG, SELFMAG) == 0)
        kind = kind_of_elf(path, start, (size_t)size);
    if (kind != TAKES_SHIM && has_more_rights(fd))
        kind = TAKES_SHIM;
    real.syscall(SYS_close, fd);
    start[size > 0 ? size : 0] = '\0';
    if (start[0] == '#' && start[1] == '!' && !read_interpreter(start, interpreter))
        interpreter[0] = '\0';
    return kind;
}

static enum kind kind_of(int dirfd, const char *path)
{
    char interpreter[LONGEST_LINE], further[LONGEST_LINE];
    enum kind kind = look_at(dirfd, path, interpreter);

    return interpreter[0] ? look_at(AT_FDCWD, interpreter, further) : kind;
}

/* ---- The launcher ---------------------------------------------------------------------------------- */

void say_unsupervised(const char *path, const char *why)
{
    char sign[RUN_DIRECTORY + sizeof "/unsupervised"];
    struct iovec parts[] = { { "devshim: ", 9 }, { (void *)(uintptr_t)path, strlen(path) },
                             { ": no devices in this static, Go or musl program: ", 49 },
                             { (void *)(uintptr_t)why, strlen(why) }, { "\n", 1 } };

    strcat(strcpy(sign, run_directory), "/unsupervised");
    int fd = (int)real.syscall(SYS_openat, AT_FDCWD, sign, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0 && errno == EEXIST)
        return;
    if (fd >= 0)
        real.syscall(SYS_close, fd);
    real.writev(2, parts, 5);
}

/* --engine preload; see engine.py. */
static bool is_unwanted(void)
{
    char sign[RUN_DIRECTORY + sizeof "/engine-preload"];
    return real.syscall(SYS_faccessat, AT_FDCWD, strcat(strcpy(sign, run_directory), "/engine-preload"), F_OK) == 0;
}

/* By whoever counts on its next execve() being the program's, as debuggers do. proc(5) */
static bool is_traced(void)
{
    char text[1024];
    int fd = (int)real.syscall(SYS_openat, AT_FDCWD, "/proc/self/status", O_RDONLY | O_CLOEXEC);
    ssize_t size = fd < 0 ? -1 : real.syscall(SYS_read, fd, text, sizeof text - 1);

    if (fd >= 0)
        real.syscall(SYS_close, fd);
    text[size > 0 ? size : 0] = '\0';
    const char *line = strstr(text, "\nTracerPid:\t");
    return line && line[sizeof "\nTracerPid:\t" - 1] != '0';
}

/* "/proc/self/fd/N". */
static const char *link_of(int fd, char room[32])
{
    char *at = room + 31;

    *at = '\0';
    do
        *--at = (char)('0' + (unsigned)fd % 10);
    while (fd = (int)((unsigned)fd / 10), fd);
    at -= strlen("/proc/self/fd/");
    return memcpy(at, "/proc/self/fd/", strlen("/proc/self/fd/"));
}

/* As the launcher will find it, which does not inherit what is closed by exec. */
static bool write_path(char *to, int dirfd, const char *path)
{
    char link[32], base[PATH_MAX];

    if (dirfd == AT_FDCWD || path[0] == '/')
        return strlen(path) < PATH_MAX && memmove(to, path, strlen(path) + 1);
    ssize_t length = real.syscall(SYS_readlinkat, AT_FDCWD, link_of(dirfd, link), base, sizeof base);
    if (length <= 0 || base[0] != '/' || (size_t)length + strlen(path) + 2 > PATH_MAX)
        return false;
    memcpy(to, base, (size_t)length);
    to[length] = '\0';
    if (path[0])
        strcat(strcat(to, "/"), path);
    return real.syscall(SYS_faccessat, AT_FDCWD, to, F_OK) == 0; /* else it has been removed, or never had a name */
}

static bool prepare(int dirfd, const char *path, char *launch)
{
    char link[32];
    const char *looked_at = path[0] ? path : link_of(dirfd, link); /* "" from fexecve() */

    if (is_supervised())
        return false;
    enum kind kind = kind_of(dirfd, looked_at);
    if (kind == TAKES_SHIM || real.syscall(SYS_faccessat, dirfd, looked_at, X_OK) < 0)
        return false; /* what may not be executed is execve()'s to tell */
    if (is_unwanted())
        return false;
    if (is_traced()) {
        say_unsupervised(path, "a debugger or tracer starts it; devshim run --engine seccomp catches its calls");
        return false;
    }
    strcpy(launch, kind == SUPERVISED_BARE ? LAUNCH_NAME "=cdp:" : LAUNCH_NAME "=cd:");
    return write_path(launch + strlen(launch), dirfd, path);
}

bool needs_launcher(int dirfd, const char *path, char *launch)
{
    int before = errno;
    bool needs = registry && path && prepare(dirfd, path, launch);

    errno = before;
    return needs;
}

size_t launch_size(int dirfd, const char *path)
{
    bool whole = dirfd == AT_FDCWD || (path && path[0] == '/');
    return LONGEST_ORDER + (whole && path ? strlen(path) + 1 : PATH_MAX);
}

static const char *places(void)
{
    const char *value = getenv("PATH");
    return value ? value : "/bin:/usr/bin";
}

/* execve() refuses directories by EACCES, and execvp() then looks on. */
static bool is_executable(const char *path)
{
    struct stat status;
    return real.syscall(SYS_faccessat, AT_FDCWD, path, X_OK) == 0 && libc_fstatat(AT_FDCWD, path, &status, 0) == 0
           && !S_ISDIR(status.st_mode);
}

size_t launch_size_on_path(const char *file)
{
    return launch_size(AT_FDCWD, file) + (file && !strchr(file, '/') ? strlen(places()) + 1 : 0);
}

bool needs_launcher_on_path(const char *file, char *launch, size_t size)
{
    char *path = launch + LONGEST_ORDER;
    int before = errno;

    if (!registry || !file || strchr(file, '/'))
        return needs_launcher(AT_FDCWD, file, launch);
    for (const char *place = places(); place && file[0]; place = strchr(place, ':') ? strchr(place, ':') + 1 : NULL) {
        size_t length = strcspn(place, ":");
        if (length + strlen(file) + 2 > size - LONGEST_ORDER)
            continue;
        memcpy(path, place, length);
        path[length] = '/';
        strcpy(path + length + (length > 0), file);
        if (!is_executable(path))
            continue;
        errno = before;
        return needs_launcher(AT_FDCWD, path, launch);
    }
    errno = before;
    return false;
}
