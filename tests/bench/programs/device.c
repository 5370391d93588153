/* device.c: calls on devices: device BATCHES CALLS PAUSE_US CROWD LABEL=NODE:WHAT[:REQUEST[:VALUE]] ...
 *
 * WHAT is read, write, readv, ioctl, rdwr (an I2C_RDWR of two messages) or open. With a pause, and for open, each
 * call is timed by itself. CROWD threads, or where it is negative processes, make the calls together; a value is then the
 * time of all calls divided by their number. */
#include <fcntl.h>
#include <linux/i2c-dev.h>
#include <linux/i2c.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "timing.h"

enum { CHIP = 0x48, MOST = 64 };

struct job {
    const char *label, *node;
    int (*call)(const struct job *); /* NULL: opens */
    unsigned long request, value;
    int has_value, fd;
};

static int batches, calls, pause_us, crowd, processes;

static int read_8(const struct job *job)
{
    char data[8];
    return read(job->fd, data, sizeof data) == sizeof data;
}

static int write_8(const struct job *job)
{
    return write(job->fd, "12345678", 8) == 8;
}

static int read_two_parts(const struct job *job)
{
    char first[1], second[2];
    struct iovec parts[2] = { { first, sizeof first }, { second, sizeof second } };
    return readv(job->fd, parts, 2) == 3;
}

static int ioctl_any(const struct job *job)
{
    _Alignas(8) char argument[64];
    return ioctl(job->fd, job->request, job->has_value ? job->value : (unsigned long)argument) >= 0;
}

static int i2c_transfer(const struct job *job)
{
    unsigned char pointer = 0, answer[2];
    struct i2c_msg messages[2] = { { CHIP, 0, 1, &pointer }, { CHIP, I2C_M_RD, 2, answer } };
    struct i2c_rdwr_ioctl_data transfer = { messages, 2 };
    return ioctl(job->fd, I2C_RDWR, &transfer) == 2;
}

static const struct {
    const char *name;
    int (*call)(const struct job *);
} known[] = { { "read", read_8 },   { "write", write_8 },     { "readv", read_two_parts },
              { "ioctl", ioctl_any }, { "rdwr", i2c_transfer }, { "open", NULL } };

static void parse(char *text, struct job *job)
{
    char *rest = text;
    size_t i = 0;

    memset(job, 0, sizeof *job);
    job->label = strsep(&rest, "=");
    job->node = strsep(&rest, ":");
    const char *what = strsep(&rest, ":"), *request = strsep(&rest, ":");
    while (strcmp(known[i].name, what) != 0)
        require(++i < sizeof known / sizeof *known, what);
    job->call = known[i].call;
    job->request = request ? strtoul(request, NULL, 0) : 0;
    job->has_value = rest != NULL;
    job->value = rest ? strtoul(rest, NULL, 0) : 0;
}

static void take_opens(const struct job *job, double *values)
{
    double cost = clock_cost();
    for (int i = 0; i < batches; i++) {
        if (pause_us)
            usleep((useconds_t)pause_us);
        double begin = now_ns();
        int fd = open(job->node, O_RDWR | O_NOCTTY);
        values[i] = now_ns() - begin - cost;
        require(fd >= 0, job->node);
        close(fd);
    }
}

static void take_paused(const struct job *job, double *values)
{
    double cost = clock_cost();
    struct timespec pause = { .tv_nsec = pause_us * 1000l };
    for (int i = 0; i < batches; i++) {
        nanosleep(&pause, NULL);
        double begin = now_ns();
        int well = job->call(job);
        values[i] = now_ns() - begin - cost;
        require(well, job->label);
    }
}

static void take_hot(const struct job *job, double *values)
{
    for (int batch = 0; batch < batches; batch++) {
        double begin = now_ns();
        for (int call = 0; call < calls; call++)
            require(job->call(job), job->label);
        values[batch] = (now_ns() - begin) / calls;
    }
}

struct worker {
    pthread_t thread;
    const struct job *job;
    double begin, end;
};

static struct shared {
    pthread_barrier_t together;
    struct worker workers[MOST];
} *shared;

static void meet(void)
{
    pthread_barrier_wait(&shared->together);
}

static void *work(void *argument)
{
    struct worker *worker = argument;
    struct job job = *worker->job;

    job.fd = open(job.node, O_RDWR);
    require(job.fd >= 0 && job.call(&job), job.node);
    for (int batch = 0; batch < batches; batch++) {
        meet();
        worker->begin = now_ns();
        for (int call = 0; call < calls; call++)
            require(job.call(&job), job.label);
        worker->end = now_ns();
        meet();
        meet(); /* while the times are looked at */
    }
    return NULL;
}

static void begin(struct worker *worker, const struct job *job)
{
    worker->job = job;
    if (!processes) {
        require(pthread_create(&worker->thread, NULL, work, worker) == 0, "pthread_create");
        return;
    }
    pid_t child = fork();
    require(child >= 0, "fork");
    if (child == 0) {
        work(worker);
        _exit(0);
    }
}

static void share(void)
{
    pthread_barrierattr_t attributes;
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    require(shared != MAP_FAILED, "mmap");
    pthread_barrierattr_init(&attributes);
    pthread_barrierattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_barrier_init(&shared->together, &attributes, (unsigned)crowd + 1);
}

static void take_together(struct job *job, double *values)
{
    share();
    struct worker *workers = shared->workers;
    for (int i = 0; i < crowd; i++)
        begin(&workers[i], job);
    for (int batch = 0; batch < batches; batch++) {
        meet();
        meet();
        double begin = workers[0].begin, end = workers[0].end;
        for (int i = 1; i < crowd; i++) {
            begin = workers[i].begin < begin ? workers[i].begin : begin;
            end = workers[i].end > end ? workers[i].end : end;
        }
        values[batch] = (end - begin) / calls / crowd;
        meet();
    }
    for (int i = 0; i < crowd; i++)
        require(processes ? wait(NULL) > 0 : pthread_join(workers[i].thread, NULL) == 0, "the end");
}

static void take(struct job *job)
{
    double *values = series(batches);

    if (!job->call) {
        take_opens(job, values);
    } else if (crowd > 1 || processes) {
        take_together(job, values);
    } else {
        job->fd = open(job->node, O_RDWR | O_NOCTTY);
        require(job->fd >= 0 && job->call(job), job->node); /* the first call of a thread costs more */
        (pause_us ? take_paused : take_hot)(job, values);
        close(job->fd);
    }
    print_series(job->label, values, batches);
    free(values);
}

int main(int count, char **words)
{
    if (count < 6)
        return 2;
    batches = atoi(words[1]);
    calls = atoi(words[2]);
    pause_us = atoi(words[3]);
    crowd = abs(atoi(words[4]));
    processes = atoi(words[4]) < 0;
    require(crowd >= 1 && crowd <= MOST, "crowd");
    for (int i = 5; i < count; i++) {
        struct job job;
        parse(words[i], &job);
        take(&job);
    }
}
