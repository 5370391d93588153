"""Asks /dev/kvm for a machine with one processor, and prints what that begins with (linux/kvm.h, asm/kvm.h)."""

import fcntl
import os
import struct

KVM_GET_API_VERSION, KVM_CREATE_VM, KVM_CHECK_EXTENSION, KVM_GET_VCPU_MMAP_SIZE = 0xAE00, 0xAE01, 0xAE03, 0xAE04
KVM_CREATE_VCPU, KVM_GET_REGS, KVM_SET_REGS = 0xAE41, 0x8090AE81, 0x4090AE82
KVM_CAP_NR_MEMSLOTS = 10

kvm = os.open("/dev/kvm", os.O_RDWR)
print("version", fcntl.ioctl(kvm, KVM_GET_API_VERSION, 0))
print("slots", fcntl.ioctl(kvm, KVM_CHECK_EXTENSION, KVM_CAP_NR_MEMSLOTS) > 0)
print("run area", fcntl.ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0))
machine = fcntl.ioctl(kvm, KVM_CREATE_VM, 0)
processor = fcntl.ioctl(machine, KVM_CREATE_VCPU, 0)
registers = bytearray(144)
fcntl.ioctl(processor, KVM_GET_REGS, registers)
print("rip {:#x} rflags {:#x}".format(*struct.unpack("<QQ", registers[128:])))
registers[128:136] = struct.pack("<Q", 0x1000)
fcntl.ioctl(processor, KVM_SET_REGS, bytes(registers))
fcntl.ioctl(processor, KVM_GET_REGS, registers)
print("rip {:#x} rflags {:#x}".format(*struct.unpack("<QQ", registers[128:])))
