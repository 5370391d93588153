"""KVM: the system, virtual machines and processors: linux/kvm.h, asm/kvm.h for x86; names, and what is flat or short"""

from __future__ import annotations

from ctypes import c_uint32

from devshim.known.record import NewFile, address, known, record, trailing, union, value

kvm_msr_list = record("kvm_msr_list", nmsrs="u32", indices=trailing(c_uint32, length="nmsrs"))
kvm_cpuid_entry2 = record(
    "kvm_cpuid_entry2",
    function="u32",
    index="u32",
    flags="u32",
    eax="u32",
    ebx="u32",
    ecx="u32",
    edx="u32",
    padding="u32*3",
)
kvm_cpuid2 = record("kvm_cpuid2", nent="u32", padding="u32", entries=trailing(kvm_cpuid_entry2, length="nent"))
# How long a bitmap is depends on the memory slot, which other calls have said: it is not followed.
kvm_dirty_log = record("kvm_dirty_log", slot="u32", padding1="u32", dirty_bitmap=address("slot"))
kvm_userspace_memory_region = record(
    "kvm_userspace_memory_region",
    slot="u32",
    flags="u32",
    guest_phys_addr="u64",
    memory_size="u64",
    userspace_addr=address("slot"),
)
kvm_irq_level = record("kvm_irq_level", _0=union(irq="u32", status="i32"), level="u32")
kvm_coalesced_mmio_zone = record("kvm_coalesced_mmio_zone", addr="u64", size="u32", _0=union(pad="u32", pio="u32"))
kvm_irq_routing_irqchip = record("kvm_irq_routing_irqchip", irqchip="u32", pin="u32")
kvm_irq_routing_msi = record(
    "kvm_irq_routing_msi", address_lo="u32", address_hi="u32", data="u32", _0=union(pad="u32", devid="u32")
)
kvm_irq_routing_xen_evtchn = record("kvm_irq_routing_xen_evtchn", port="u32", vcpu="u32", priority="u32")
kvm_irq_routing_entry = record(
    "kvm_irq_routing_entry",
    gsi="u32",
    type="u32",
    flags="u32",
    pad="u32",
    u=union(
        irqchip=kvm_irq_routing_irqchip,
        msi=kvm_irq_routing_msi,
        xen_evtchn=kvm_irq_routing_xen_evtchn,
        pad="u32*8",
    ),
)
kvm_irq_routing = record("kvm_irq_routing", nr="u32", flags="u32", entries=trailing(kvm_irq_routing_entry, length="nr"))
kvm_irqfd = record("kvm_irqfd", fd="u32", gsi="u32", flags="u32", resamplefd="u32", pad="u8*16")
kvm_pit_config = record("kvm_pit_config", flags="u32", pad="u32*15")
kvm_ioeventfd = record("kvm_ioeventfd", datamatch="u64", addr="u64", len="u32", fd="i32", flags="u32", pad="u8*36")
kvm_clock_data = record(
    "kvm_clock_data", clock="u64", flags="u32", pad0="u32", realtime="u64", host_tsc="u64", pad="u32*4"
)
kvm_regs = record(
    "kvm_regs",
    **dict.fromkeys(
        [
            "rax",
            "rbx",
            "rcx",
            "rdx",
            "rsi",
            "rdi",
            "rsp",
            "rbp",
            "r8",
            "r9",
            "r10",
            "r11",
            "r12",
            "r13",
            "r14",
            "r15",
            "rip",
            "rflags",
        ],
        "u64",
    ),
)
kvm_segment = record(
    "kvm_segment",
    base="u64",
    limit="u32",
    selector="u16",
    **dict.fromkeys(["type", "present", "dpl", "db", "s", "l", "g", "avl", "unusable", "padding"], "u8"),
)
kvm_dtable = record("kvm_dtable", base="u64", limit="u16", padding="u16*3")
kvm_sregs = record(
    "kvm_sregs",
    **dict.fromkeys(["cs", "ds", "es", "fs", "gs", "ss", "tr", "ldt"], kvm_segment),
    **dict.fromkeys(["gdt", "idt"], kvm_dtable),
    **dict.fromkeys(["cr0", "cr2", "cr3", "cr4", "cr8", "efer", "apic_base"], "u64"),
    interrupt_bitmap="u64*4",
)
kvm_translation = record(
    "kvm_translation",
    linear_address="u64",
    physical_address="u64",
    valid="u8",
    writeable="u8",
    usermode="u8",
    pad="u8*5",
)
kvm_interrupt = record("kvm_interrupt", irq="u32")
kvm_msr_entry = record("kvm_msr_entry", index="u32", reserved="u32", data="u64")
kvm_msrs = record("kvm_msrs", nmsrs="u32", pad="u32", entries=trailing(kvm_msr_entry, length="nmsrs"))
kvm_cpuid_entry = record("kvm_cpuid_entry", function="u32", eax="u32", ebx="u32", ecx="u32", edx="u32", padding="u32")
kvm_cpuid = record("kvm_cpuid", nent="u32", padding="u32", entries=trailing(kvm_cpuid_entry, length="nent"))
kvm_tpr_access_ctl = record("kvm_tpr_access_ctl", enabled="u32", flags="u32", reserved="u32*8")
kvm_mp_state = record("kvm_mp_state", mp_state="u32")
kvm_enable_cap = record("kvm_enable_cap", cap="u32", flags="u32", args="u64*4", pad="u8*64")
kvm_msi = record("kvm_msi", address_lo="u32", address_hi="u32", data="u32", flags="u32", devid="u32", pad="u8*12")
kvm_enc_region = record("kvm_enc_region", addr=address("size"), size="u64")
kvm_hyperv_eventfd = record("kvm_hyperv_eventfd", conn_id="u32", fd="i32", flags="u32", padding="u32*3")
kvm_clear_dirty_log = record(
    "kvm_clear_dirty_log", slot="u32", num_pages="u32", first_page="u64", dirty_bitmap=address("slot")
)
kvm_create_device = record("kvm_create_device", type="u32", fd=NewFile, flags="u32")
kvm_device_attr = record("kvm_device_attr", flags="u32", group="u32", attr="u64", addr=address("flags"))

DESCRIPTIONS = [
    known("KVM_GET_API_VERSION", 0xAE00),
    value("KVM_CREATE_VM", 0xAE01, "i64", new_file=True),
    known("KVM_GET_MSR_INDEX_LIST", 0xC004AE02, kvm_msr_list),
    value("KVM_CHECK_EXTENSION", 0xAE03, "i64"),
    known("KVM_GET_VCPU_MMAP_SIZE", 0xAE04),
    known("KVM_GET_SUPPORTED_CPUID", 0xC008AE05, kvm_cpuid2),
    known("KVM_GET_EMULATED_CPUID", 0xC008AE09, kvm_cpuid2),
    value("KVM_CREATE_VCPU", 0xAE41, "i64", new_file=True),
    known("KVM_GET_DIRTY_LOG", 0x4010AE42, kvm_dirty_log),
    value("KVM_SET_NR_MMU_PAGES", 0xAE44, "i64"),
    known("KVM_GET_NR_MMU_PAGES", 0xAE45),
    known("KVM_SET_USER_MEMORY_REGION", 0x4020AE46, kvm_userspace_memory_region),
    value("KVM_SET_TSS_ADDR", 0xAE47, "i64"),
    known("KVM_SET_IDENTITY_MAP_ADDR", 0x4008AE48, "u64"),
    known("KVM_CREATE_IRQCHIP", 0xAE60),
    known("KVM_IRQ_LINE", 0x4008AE61, kvm_irq_level),
    known("KVM_GET_IRQCHIP", 0xC208AE62),
    known("KVM_SET_IRQCHIP", 0x8208AE63, access="w"),
    known("KVM_CREATE_PIT", 0xAE64),
    known("KVM_GET_PIT", 0xC048AE65),
    known("KVM_SET_PIT", 0x8048AE66, access="w"),
    known("KVM_IRQ_LINE_STATUS", 0xC008AE67, kvm_irq_level),
    known("KVM_REGISTER_COALESCED_MMIO", 0x4010AE67, kvm_coalesced_mmio_zone),
    known("KVM_UNREGISTER_COALESCED_MMIO", 0x4010AE68, kvm_coalesced_mmio_zone),
    known("KVM_SET_GSI_ROUTING", 0x4008AE6A, kvm_irq_routing),
    known("KVM_REINJECT_CONTROL", 0xAE71),
    known("KVM_IRQFD", 0x4020AE76, kvm_irqfd),
    known("KVM_CREATE_PIT2", 0x4040AE77, kvm_pit_config),
    value("KVM_SET_BOOT_CPU_ID", 0xAE78, "i64"),
    known("KVM_IOEVENTFD", 0x4040AE79, kvm_ioeventfd),
    known("KVM_SET_CLOCK", 0x4030AE7B, kvm_clock_data),
    known("KVM_GET_CLOCK", 0x8030AE7C, kvm_clock_data),
    known("KVM_RUN", 0xAE80),
    known("KVM_GET_REGS", 0x8090AE81, kvm_regs),
    known("KVM_SET_REGS", 0x4090AE82, kvm_regs),
    known("KVM_GET_SREGS", 0x8138AE83, kvm_sregs),
    known("KVM_SET_SREGS", 0x4138AE84, kvm_sregs),
    known("KVM_TRANSLATE", 0xC018AE85, kvm_translation),
    known("KVM_INTERRUPT", 0x4004AE86, kvm_interrupt),
    known("KVM_GET_MSRS", 0xC008AE88, kvm_msrs),
    known("KVM_SET_MSRS", 0x4008AE89, kvm_msrs),
    known("KVM_SET_CPUID", 0x4008AE8A, kvm_cpuid),
    known("KVM_GET_FPU", 0x81A0AE8C),
    known("KVM_SET_FPU", 0x41A0AE8D),
    known("KVM_GET_LAPIC", 0x8400AE8E),
    known("KVM_SET_LAPIC", 0x4400AE8F),
    known("KVM_SET_CPUID2", 0x4008AE90, kvm_cpuid2),
    known("KVM_GET_CPUID2", 0xC008AE91, kvm_cpuid2),
    known("KVM_TPR_ACCESS_REPORTING", 0xC028AE92, kvm_tpr_access_ctl),
    known("KVM_GET_MP_STATE", 0x8004AE98, kvm_mp_state),
    known("KVM_SET_MP_STATE", 0x4004AE99, kvm_mp_state),
    known("KVM_NMI", 0xAE9A),
    known("KVM_SET_GUEST_DEBUG", 0x4048AE9B),
    known("KVM_X86_SETUP_MCE", 0x4008AE9C, "u64"),
    known("KVM_X86_GET_MCE_CAP_SUPPORTED", 0x8008AE9D, "u64"),
    known("KVM_X86_SET_MCE", 0x4040AE9E),
    known("KVM_GET_PIT2", 0x8070AE9F),
    known("KVM_GET_VCPU_EVENTS", 0x8040AE9F),
    known("KVM_SET_PIT2", 0x4070AEA0),
    known("KVM_SET_VCPU_EVENTS", 0x4040AEA0),
    known("KVM_GET_DEBUGREGS", 0x8080AEA1),
    value("KVM_SET_TSC_KHZ", 0xAEA2, "i64"),
    known("KVM_SET_DEBUGREGS", 0x4080AEA2),
    known("KVM_GET_TSC_KHZ", 0xAEA3),
    known("KVM_ENABLE_CAP", 0x4068AEA3, kvm_enable_cap),
    known("KVM_GET_XSAVE", 0x9000AEA4),
    known("KVM_SIGNAL_MSI", 0x4020AEA5, kvm_msi),
    known("KVM_SET_XSAVE", 0x5000AEA5),
    known("KVM_GET_XCRS", 0x8188AEA6),
    known("KVM_SET_XCRS", 0x4188AEA7),
    known("KVM_KVMCLOCK_CTRL", 0xAEAD),
    known("KVM_SMI", 0xAEB7),
    known("KVM_MEMORY_ENCRYPT_OP", 0xC008AEBA, "u64"),
    known("KVM_MEMORY_ENCRYPT_REG_REGION", 0x8010AEBB, kvm_enc_region, "w"),
    known("KVM_MEMORY_ENCRYPT_UNREG_REGION", 0x8010AEBC, kvm_enc_region, "w"),
    known("KVM_HYPERV_EVENTFD", 0x4018AEBD, kvm_hyperv_eventfd),
    known("KVM_CLEAR_DIRTY_LOG", 0xC018AEC0, kvm_clear_dirty_log),
    known("KVM_RESET_DIRTY_RINGS", 0xAEC7),
    known("KVM_XEN_HVM_GET_ATTR", 0xC048AEC8),
    known("KVM_XEN_HVM_SET_ATTR", 0x4048AEC9),
    known("KVM_XEN_VCPU_GET_ATTR", 0xC048AECA),
    known("KVM_XEN_VCPU_SET_ATTR", 0x4048AECB),
    known("KVM_GET_SREGS2", 0x8140AECC),
    known("KVM_SET_SREGS2", 0x4140AECD),
    known("KVM_GET_STATS_FD", 0xAECE, new_file=True),
    known("KVM_GET_XSAVE2", 0x9000AECF),
    known("KVM_XEN_HVM_EVTCHN_SEND", 0x400CAED0),
    known("KVM_CREATE_DEVICE", 0xC00CAEE0, kvm_create_device),
    known("KVM_SET_DEVICE_ATTR", 0x4018AEE1, kvm_device_attr),
    known("KVM_GET_DEVICE_ATTR", 0x4018AEE2, kvm_device_attr),
    known("KVM_HAS_DEVICE_ATTR", 0x4018AEE3, kvm_device_attr),
]
