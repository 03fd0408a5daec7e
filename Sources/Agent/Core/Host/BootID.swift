/// The kernel's name for this boot of the machine (random(4)); `nil` where it does not tell.
enum BootID {
  static var current: String? { MachineFiles().text("/proc/sys/kernel/random/boot_id") }
}
