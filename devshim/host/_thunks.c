/* _thunks.c: what a program calls in the place of a hooked function: it prepares the thread, and calls another.
 *
 * ctypes makes a state for a thread that Python does not know at each call, and takes no care of forks then. The arguments
 * are whatever the program passes, so the registers that may hold some are kept, and as many words of the stack handed on as
 * there may be of them. System V ABI, AMD64 3.2.3; AAPCS64.
 *
 * A thread is never in two hooks: what a Python function calls meanwhile is the library's own. Where the library's own jumps
 * out of the hook that called it (longjmp), Python's frames stay behind, and this thread cannot go on in it: from then on it
 * has the library's functions. */
#include "_thunks.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

static const char *names[MOST_THUNKS]; /* of originals, for some have several */
static const void *originals[MOST_THUNKS];
static const void *replacements[MOST_THUNKS];
static unsigned words[MOST_THUNKS];
static bool inward[MOST_THUNKS]; /* from the replacement to the original */

/* In the frame of a thunk. */
struct hooked {
    struct hooked *self; /* as long as the frame is there, or nobody writes over it */
    struct staying staying;
    int aside;
    bool inward;
};
_Static_assert(sizeof(struct hooked) <= 160, "the code below leaves room for so much");

static __thread struct hooked *inside; /* the hook that this thread is in */
static __thread bool has_left;

/* Where to go on to, and with how many words of the stack; NO_WAY_BACK: there for good. */
struct next {
    const void *function;
    intptr_t words;
};
enum { NO_WAY_BACK = -1 };

static void say_left(const char *name)
{
    static const char head[] = "devshim: ", tail[] = ": this thread has jumped out of a hooked function (longjmp), so it has "
                                                     "the library's own functions from now on\n";
    int before = errno;
    char line[256];
    size_t length = strlen(name);

    length = length < sizeof line - sizeof head - sizeof tail ? length : sizeof line - sizeof head - sizeof tail;
    memcpy(line, head, sizeof head - 1);
    memcpy(line + sizeof head - 1, name, length);
    memcpy(line + sizeof head - 1 + length, tail, sizeof tail - 1);
    (void)!write(2, line, sizeof head - 1 + length + sizeof tail - 1);
    errno = before;
}

/* In a signal's handler that has a stack of its own, which may lie anywhere. */
static bool on_handlers_stack(void)
{
    stack_t alternate;

    return sigaltstack(NULL, &alternate) == 0 && alternate.ss_flags & SS_ONSTACK
           && (uintptr_t)inside - (uintptr_t)alternate.ss_sp >= alternate.ss_size;
}

/* A stack grows down: what was there before lies above. */
static bool was_left(const void *now)
{
    return ((uintptr_t)inside <= (uintptr_t)now && !on_handlers_stack()) || inside->self != inside;
}

bool has_left_hook(void)
{
    return has_left || (inside && was_left(__builtin_frame_address(0)));
}

/* Called by the code below. */
__attribute__((used, visibility("hidden"))) struct next devshim_begin_hook(struct hooked *frame, uint32_t index);
__attribute__((used, visibility("hidden"))) struct next devshim_begin_hook(struct hooked *frame, uint32_t index)
{
    if (inside && !has_left && was_left(frame)) {
        has_left = true;
        leave_hook();
        say_left(names[index]);
    }
    frame->inward = inward[index];
    if (frame->inward && inside && !has_left) {
        open_hook(&inside->staying);
        return (struct next){ originals[index], words[index] };
    }
    if (frame->inward || inside || is_vfork_child())
        return (struct next){ originals[index], NO_WAY_BACK };
    frame->aside = begin_hook(&frame->staying); /* first of all: a handler may still jump */
    frame->self = inside = frame;
    return (struct next){ __atomic_load_n(&replacements[index], __ATOMIC_ACQUIRE), words[index] };
}

__attribute__((used, visibility("hidden"))) void devshim_end_hook(struct hooked *frame);
__attribute__((used, visibility("hidden"))) void devshim_end_hook(struct hooked *frame)
{
    if (frame->inward) {
        close_hook(&inside->staying);
        return;
    }
    frame->self = inside = NULL;
    end_hook(&frame->staying, frame->aside);
}

#if defined(__x86_64__)
#define THUNK_SIZE 16
__asm__(".text\n"
        ".p2align 4\n"
        ".hidden devshim_thunks\n"
        ".globl devshim_thunks\n"
        "devshim_thunks:\n"
        ".set index, 0\n"
        ".rept 256\n"
        "    .p2align 4\n"
        "    endbr64\n"
        "    movl $index, %r11d\n"
        "    jmp devshim_thunk_common\n"
        "    .set index, index + 1\n"
        ".endr\n"
        ".type devshim_thunk_common, @function\n"
        "devshim_thunk_common:\n"
        "    .cfi_startproc\n"
        "    push %rbp\n"
        "    .cfi_def_cfa_offset 16\n"
        "    .cfi_offset rbp, -16\n"
        "    mov %rsp, %rbp\n"
        "    .cfi_def_cfa_register rbp\n"
        "    push %rdi\n    push %rsi\n    push %rdx\n    push %rcx\n"
        "    push %r8\n    push %r9\n    push %rax\n    push %r10\n"
        "    sub $288, %rsp\n" /* 128 for the registers, 160 for struct hooked */
        "    movups %xmm0, -192(%rbp)\n    movups %xmm1, -176(%rbp)\n    movups %xmm2, -160(%rbp)\n    movups %xmm3, -144(%rbp)\n"
        "    movups %xmm4, -128(%rbp)\n    movups %xmm5, -112(%rbp)\n    movups %xmm6, -96(%rbp)\n    movups %xmm7, -80(%rbp)\n"
        "    mov %rsp, %rdi\n"
        "    mov %r11d, %esi\n"
        "    call devshim_begin_hook\n"
        "    mov %rax, %r11\n"
        "    mov %rdx, %rcx\n"
        "    test %rdx, %rdx\n"
        "    js 1f\n"
        "    lea (,%rdx,8), %rax\n"
        "    sub %rax, %rsp\n"
        "    mov %rsp, %rdi\n"
        "    lea 16(%rbp), %rsi\n"
        "    rep movsq\n"
        "1:\n"
        "    movups -192(%rbp), %xmm0\n    movups -176(%rbp), %xmm1\n    movups -160(%rbp), %xmm2\n    movups -144(%rbp), %xmm3\n"
        "    movups -128(%rbp), %xmm4\n    movups -112(%rbp), %xmm5\n    movups -96(%rbp), %xmm6\n    movups -80(%rbp), %xmm7\n"
        "    test %rdx, %rdx\n" /* looked at before the register has its own value again */
        "    mov -8(%rbp), %rdi\n    mov -16(%rbp), %rsi\n    mov -24(%rbp), %rdx\n    mov -32(%rbp), %rcx\n"
        "    mov -40(%rbp), %r8\n    mov -48(%rbp), %r9\n    mov -56(%rbp), %rax\n    mov -64(%rbp), %r10\n"
        "    js 2f\n"
        "    call *%r11\n"
        "    mov %rax, -8(%rbp)\n    mov %rdx, -16(%rbp)\n"
        "    movups %xmm0, -192(%rbp)\n    movups %xmm1, -176(%rbp)\n"
        "    lea -352(%rbp), %rdi\n"
        "    mov %rdi, %rsp\n"
        "    call devshim_end_hook\n"
        "    movups -192(%rbp), %xmm0\n    movups -176(%rbp), %xmm1\n"
        "    mov -8(%rbp), %rax\n    mov -16(%rbp), %rdx\n"
        "    .cfi_remember_state\n"
        "    leave\n"
        "    .cfi_def_cfa rsp, 8\n"
        "    ret\n"
        "    .cfi_restore_state\n"
        "2:\n"
        "    leave\n"
        "    .cfi_def_cfa rsp, 8\n"
        "    jmp *%r11\n"
        "    .cfi_endproc\n"
        ".size devshim_thunk_common, . - devshim_thunk_common\n");
#elif defined(__aarch64__)
#define THUNK_SIZE 16
__asm__(".text\n"
        ".p2align 4\n"
        ".hidden devshim_thunks\n"
        ".globl devshim_thunks\n"
        "devshim_thunks:\n"
        ".set index, 0\n"
        ".rept 256\n"
        "    hint #34\n" /* bti c */
        "    mov w17, #index\n"
        "    b devshim_thunk_common\n"
        "    nop\n"
        "    .set index, index + 1\n"
        ".endr\n"
        ".type devshim_thunk_common, @function\n"
        "devshim_thunk_common:\n"
        "    .cfi_startproc\n"
        "    stp x29, x30, [sp, #-384]!\n" /* up to 224 the registers, behind them 160 for struct hooked */
        "    .cfi_def_cfa_offset 384\n"
        "    .cfi_offset x29, -384\n"
        "    .cfi_offset x30, -376\n"
        "    mov x29, sp\n"
        "    .cfi_def_cfa_register x29\n"
        "    stp x0, x1, [x29, #16]\n    stp x2, x3, [x29, #32]\n    stp x4, x5, [x29, #48]\n    stp x6, x7, [x29, #64]\n"
        "    str x8, [x29, #80]\n"
        "    stp q0, q1, [x29, #96]\n    stp q2, q3, [x29, #128]\n    stp q4, q5, [x29, #160]\n    stp q6, q7, [x29, #192]\n"
        "    add x0, x29, #224\n"
        "    mov w1, w17\n"
        "    bl devshim_begin_hook\n"
        "    mov x16, x0\n"
        "    mov x17, x1\n"
        "    tbnz x17, #63, 1f\n"
        "    sub sp, sp, x17, lsl #3\n"
        "    mov x9, #0\n"
        "    add x10, x29, #384\n"
        "0:  cmp x9, x17\n"
        "    b.ge 1f\n"
        "    ldr x11, [x10, x9, lsl #3]\n"
        "    mov x12, sp\n"
        "    str x11, [x12, x9, lsl #3]\n"
        "    add x9, x9, #1\n"
        "    b 0b\n"
        "1:  ldp x0, x1, [x29, #16]\n    ldp x2, x3, [x29, #32]\n    ldp x4, x5, [x29, #48]\n    ldp x6, x7, [x29, #64]\n"
        "    ldr x8, [x29, #80]\n"
        "    ldp q0, q1, [x29, #96]\n    ldp q2, q3, [x29, #128]\n    ldp q4, q5, [x29, #160]\n    ldp q6, q7, [x29, #192]\n"
        "    tbnz x17, #63, 2f\n"
        "    blr x16\n"
        "    stp x0, x1, [x29, #16]\n"
        "    stp q0, q1, [x29, #96]\n    stp q2, q3, [x29, #128]\n"
        "    add x0, x29, #224\n"
        "    bl devshim_end_hook\n"
        "    ldp x0, x1, [x29, #16]\n"
        "    ldp q0, q1, [x29, #96]\n    ldp q2, q3, [x29, #128]\n"
        "    mov sp, x29\n"
        "    .cfi_remember_state\n"
        "    ldp x29, x30, [sp], #384\n"
        "    .cfi_def_cfa sp, 0\n"
        "    ret\n"
        "    .cfi_restore_state\n"
        "2:  mov sp, x29\n"
        "    ldp x29, x30, [sp], #384\n"
        "    .cfi_def_cfa sp, 0\n"
        "    br x16\n"
        "    .cfi_endproc\n"
        ".size devshim_thunk_common, . - devshim_thunk_common\n");
#else
#error "_thunks.c has no code for this machine yet"
#endif

extern char devshim_thunks[] __attribute__((visibility("hidden")));

static void *thunk(const char *name, const void *original, const void *replacement, unsigned stack_words, bool goes_inward)
{
    for (unsigned i = 0; i < MOST_THUNKS; i++)
        if (!names[i] || (originals[i] == original && inward[i] == goes_inward && strcmp(names[i], name) == 0)) {
            if (!names[i])
                names[i] = name;
            originals[i] = original;
            inward[i] = goes_inward;
            words[i] = (stack_words + 1) & ~1u; /* the stack stays aligned */
            __atomic_store_n(&replacements[i], replacement, __ATOMIC_RELEASE);
            return devshim_thunks + (uintptr_t)i * THUNK_SIZE;
        }
    return NULL;
}

void *thunk_for(const char *name, const void *original, const void *replacement, unsigned stack_words)
{
    return thunk(name, original, replacement, stack_words, false);
}

void *thunk_to_original(const char *name, const void *original, unsigned stack_words)
{
    return thunk(name, original, original, stack_words, true);
}
