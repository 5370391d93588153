/* _thunks.c: what a program calls in the place of a hooked function: it prepares the thread, and goes on to another.
 *
 * ctypes makes a state for a thread that Python does not know at each call, and takes no care of forks then. The arguments
 * are whatever the program passes, so the registers that may hold some are kept. System V ABI, AMD64 3.2.3; AAPCS64. */
#include "_thunks.h"

#include <stdint.h>
#include <string.h>

static const char *names[MOST_THUNKS]; /* of originals, for some have several */
static const void *originals[MOST_THUNKS];
static const void *replacements[MOST_THUNKS];

/* Called by the code below. */
__attribute__((used, visibility("hidden"))) const void *devshim_thunk(uint32_t index);
__attribute__((used, visibility("hidden"))) const void *devshim_thunk(uint32_t index)
{
    prepare_thread();
    return __atomic_load_n(&replacements[index], __ATOMIC_ACQUIRE);
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
        "    sub $128, %rsp\n"
        "    movups %xmm0, (%rsp)\n    movups %xmm1, 16(%rsp)\n    movups %xmm2, 32(%rsp)\n    movups %xmm3, 48(%rsp)\n"
        "    movups %xmm4, 64(%rsp)\n    movups %xmm5, 80(%rsp)\n    movups %xmm6, 96(%rsp)\n    movups %xmm7, 112(%rsp)\n"
        "    mov %r11d, %edi\n"
        "    call devshim_thunk\n"
        "    mov %rax, %r11\n"
        "    movups (%rsp), %xmm0\n    movups 16(%rsp), %xmm1\n    movups 32(%rsp), %xmm2\n    movups 48(%rsp), %xmm3\n"
        "    movups 64(%rsp), %xmm4\n    movups 80(%rsp), %xmm5\n    movups 96(%rsp), %xmm6\n    movups 112(%rsp), %xmm7\n"
        "    add $128, %rsp\n"
        "    pop %r10\n    pop %rax\n    pop %r9\n    pop %r8\n"
        "    pop %rcx\n    pop %rdx\n    pop %rsi\n    pop %rdi\n"
        "    pop %rbp\n"
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
        "    stp x29, x30, [sp, #-224]!\n"
        "    .cfi_def_cfa_offset 224\n"
        "    .cfi_offset x29, -224\n"
        "    .cfi_offset x30, -216\n"
        "    mov x29, sp\n"
        "    stp x0, x1, [sp, #16]\n    stp x2, x3, [sp, #32]\n    stp x4, x5, [sp, #48]\n    stp x6, x7, [sp, #64]\n"
        "    str x8, [sp, #80]\n"
        "    stp q0, q1, [sp, #96]\n    stp q2, q3, [sp, #128]\n    stp q4, q5, [sp, #160]\n    stp q6, q7, [sp, #192]\n"
        "    mov w0, w17\n"
        "    bl devshim_thunk\n"
        "    mov x16, x0\n"
        "    ldp x0, x1, [sp, #16]\n    ldp x2, x3, [sp, #32]\n    ldp x4, x5, [sp, #48]\n    ldp x6, x7, [sp, #64]\n"
        "    ldr x8, [sp, #80]\n"
        "    ldp q0, q1, [sp, #96]\n    ldp q2, q3, [sp, #128]\n    ldp q4, q5, [sp, #160]\n    ldp q6, q7, [sp, #192]\n"
        "    ldp x29, x30, [sp], #224\n"
        "    .cfi_def_cfa_offset 0\n"
        "    br x16\n"
        "    .cfi_endproc\n"
        ".size devshim_thunk_common, . - devshim_thunk_common\n");
#else
#error "_thunks.c has no code for this machine yet"
#endif

extern char devshim_thunks[] __attribute__((visibility("hidden")));

void *thunk_for(const char *name, const void *original, const void *replacement)
{
    for (unsigned i = 0; i < MOST_THUNKS; i++)
        if (!names[i] || (originals[i] == original && strcmp(names[i], name) == 0)) {
            if (!names[i])
                names[i] = name;
            originals[i] = original;
            __atomic_store_n(&replacements[i], replacement, __ATOMIC_RELEASE);
            return devshim_thunks + (uintptr_t)i * THUNK_SIZE;
        }
    return NULL;
}
