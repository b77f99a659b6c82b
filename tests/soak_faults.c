/* Faults for tests/soak.py, preloaded into the process that is tested.

   SOAK_CONTROL is a file of eight numbers (int64), mapped by both processes:
   0  seconds added to the clock of the day
   1  calls on files below SOAK_OUTPUT until they fail; negative: they do not
   2  errno they fail with
   3  how many have failed
   4  reads of files below SOAK_INPUT until one fails; negative: none does
   5  errno it fails with
   6  how many have failed */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static int64_t none[8] = {0, -1, 0, 0, -1, 0, 0, 0};
static volatile int64_t *control = none;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("SOAK_CONTROL");
    int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (fd < 0) return;
    void *map = mmap(NULL, sizeof none, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (map != MAP_FAILED) control = map;
    close(fd);
}

static int below(const char *path, const char *folder) {
    return folder && strncmp(path, folder, strlen(folder)) == 0;
}

static int is_in(int fd, const char *folder) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, path, sizeof path - 1);
    if (size < 0) return 0;
    path[size] = 0;
    return below(path, folder);
}

/* A full disk stays full. */
static int output_fails(void) {
    if (control[1] > 0) control[1]--;
    if (control[1] != 0) return 0;
    control[3]++;
    errno = (int)control[2];
    return 1;
}

/* A read that failed works again. */
static int input_fails(int fd) {
    int before = errno;
    if (control[4] < 0 || !is_in(fd, getenv("SOAK_INPUT"))) {
        errno = before;
        return 0;
    }
    if (control[4]-- > 0) return 0;
    control[6]++;
    errno = (int)control[5];
    return 1;
}

static int fd_fails(int fd) {
    int before = errno;
    if (control[1] < 0 || !is_in(fd, getenv("SOAK_OUTPUT"))) {
        errno = before;
        return 0;
    }
    return output_fails();
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t write(int fd, const void *data, size_t size) {
    if (control[1] >= 0 && fd_fails(fd)) {
        /* A disk that is all but full takes a part first. */
        if (errno == ENOSPC && size > 1 && control[3] == 1) return NEXT(write)(fd, data, size / 2);
        return -1;
    }
    return NEXT(write)(fd, data, size);
}

int fsync(int fd) { return fd_fails(fd) ? -1 : NEXT(fsync)(fd); }
int ftruncate(int fd, off_t size) { return fd_fails(fd) ? -1 : NEXT(ftruncate)(fd, size); }
int ftruncate64(int fd, off64_t size) { return fd_fails(fd) ? -1 : NEXT(ftruncate64)(fd, size); }

int rename(const char *from, const char *to) {
    if (control[1] >= 0 && below(from, getenv("SOAK_OUTPUT")) && output_fails()) return -1;
    return NEXT(rename)(from, to);
}

#define READ(name, type, parameters, arguments) \
    type name parameters { return input_fails(fd) ? -1 : NEXT(name) arguments; }

READ(read, ssize_t, (int fd, void *data, size_t size), (fd, data, size))
READ(pread, ssize_t, (int fd, void *data, size_t size, off_t at), (fd, data, size, at))
READ(pread64, ssize_t, (int fd, void *data, size_t size, off64_t at), (fd, data, size, at))
READ(preadv, ssize_t, (int fd, const struct iovec *v, int n, off_t at), (fd, v, n, at))
READ(preadv64, ssize_t, (int fd, const struct iovec *v, int n, off64_t at), (fd, v, n, at))
READ(preadv2, ssize_t, (int fd, const struct iovec *v, int n, off_t at, int f), (fd, v, n, at, f))
READ(preadv64v2, ssize_t, (int fd, const struct iovec *v, int n, off64_t at, int f), (fd, v, n, at, f))

int clock_gettime(clockid_t clock, struct timespec *now) {
    int failed = NEXT(clock_gettime)(clock, now);
    if (!failed && clock == CLOCK_REALTIME) now->tv_sec += control[0];
    return failed;
}

int gettimeofday(struct timeval *now, void *zone) {
    int failed = NEXT(gettimeofday)(now, zone);
    if (!failed) now->tv_sec += control[0];
    return failed;
}

time_t time(time_t *now) {
    struct timespec at;
    clock_gettime(CLOCK_REALTIME, &at);
    if (now) *now = at.tv_sec;
    return at.tv_sec;
}
