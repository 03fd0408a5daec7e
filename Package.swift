// swift-tools-version: 6.2
import PackageDescription

// One set of rules for every target of ours; dependencies are not touched by it.
let strict: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let subprocess = Target.Dependency.product(name: "Subprocess", package: "swift-subprocess")
let systemPackage = Target.Dependency.product(name: "SystemPackage", package: "swift-system")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")
let toml = Target.Dependency.product(name: "TOMLKit", package: "TOMLKit")

let package = Package(
  name: "cf-bench",
  platforms: [.macOS(.v15)],
  products: [
    .executable(name: "cf-bench", targets: ["Controller"]),
    .executable(name: "cf-bench-agent", targets: ["Agent"]),
    // For developers of cf-bench; no release has it.
    .executable(name: "bench-lab", targets: ["BenchLab"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
    .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    .package(url: "https://github.com/LebJe/TOMLKit", from: "0.6.0"),
  ],
  targets: [
    .systemLibrary(
      name: "CSSH2", pkgConfig: "libssh2",
      providers: [.apt(["libssh2-1-dev"]), .brew(["libssh2"])]),
    .target(name: "CSpawn"),
    .target(name: "CLibrary", swiftSettings: strict),
    .target(name: "CSHA256", cSettings: [.unsafeFlags(["-O2"], .when(configuration: .debug))]),
    // Digests of whole programs and line cutting are too slow unoptimised for tests that run the built programs.
    .target(
      name: "Shared", dependencies: ["CLibrary", "CSHA256"],
      swiftSettings: strict + [.unsafeFlags(["-O"], .when(configuration: .debug))]),
    // Tests that simulate thousands of comparisons take minutes unoptimised.
    .target(
      name: "Statistics", dependencies: ["CLibrary"],
      swiftSettings: strict + [.unsafeFlags(["-O"], .when(configuration: .debug))]),
    // The proof of the decision rule's error rates: thousands of simulated comparisons, and other tools' rules beside it.
    .target(
      name: "Calibration", dependencies: ["Statistics"], path: "Sources/BenchLab/Simulation",
      swiftSettings: strict + [.unsafeFlags(["-O"], .when(configuration: .debug))]),
    .target(name: "SSH", dependencies: ["CLibrary", "CSSH2", "Shared"], swiftSettings: strict),
    // Programs of this machine that answer: az, gh, curl.
    .target(name: "Tools", dependencies: ["CLibrary", "Shared", subprocess, systemPackage], swiftSettings: strict),
    .target(name: "GitHub", dependencies: ["Shared", "Tools"], swiftSettings: strict),
    .target(
      name: "Azure", dependencies: ["CLibrary", "Shared", "Tools"], resources: [.embedInCode("Data")],
      swiftSettings: strict),
    .target(name: "LocalSSHD", dependencies: ["CLibrary", "Shared", "Tools"], swiftSettings: strict),
    .target(
      name: "AgentCore", dependencies: ["CLibrary", "CSpawn", "Shared", "Statistics", argumentParser],
      path: "Sources/Agent/Core",
      resources: [.embedInCode("Python")], swiftSettings: strict),
    .executableTarget(name: "Agent", dependencies: ["AgentCore"], exclude: ["Core"], swiftSettings: strict),
    .target(
      name: "ControllerCore",
      dependencies: [
        "Azure", "CLibrary", "GitHub", "LocalSSHD", "Shared", "SSH", "Statistics", "Tools", argumentParser, subprocess,
        systemPackage, toml, yams,
      ],
      path: "Sources/Controller/Core",
      resources: [.embedInCode("GitHub/Templates"), .embedInCode("Targets"), .embedInCode("VM")], swiftSettings: strict),
    .executableTarget(name: "Controller", dependencies: ["ControllerCore"], exclude: ["Core"], swiftSettings: strict),
    .executableTarget(
      name: "BenchLab",
      dependencies: [
        "Calibration", "ControllerCore", "LocalSSHD", "Shared", "Statistics", argumentParser, subprocess, systemPackage,
      ],
      exclude: ["Simulation"], swiftSettings: strict),
    .target(
      name: "TestSupport", dependencies: ["CLibrary", "Shared", "SSH", "LocalSSHD", subprocess, systemPackage],
      path: "Tests/TestSupport", swiftSettings: strict),
    .testTarget(name: "AzureTests", dependencies: ["Azure", "Shared", "TestSupport", "Tools"], swiftSettings: strict),
    .testTarget(name: "GitHubTests", dependencies: ["GitHub", "Shared", "TestSupport"], swiftSettings: strict),
    .testTarget(name: "SharedTests", dependencies: ["Shared", "TestSupport", subprocess], swiftSettings: strict),
    .testTarget(name: "StatisticsTests", dependencies: ["CLibrary", "Statistics"], swiftSettings: strict),
    .testTarget(
      name: "BenchLabTests", dependencies: ["BenchLab", "Calibration", "Shared", "Statistics"], swiftSettings: strict),
    .testTarget(
      name: "SSHTests",
      dependencies: ["CLibrary", "LocalSSHD", "SSH", "Shared", "TestSupport", subprocess, systemPackage],
      swiftSettings: strict),
    .testTarget(
      name: "AgentTests", dependencies: ["AgentCore", "Shared", "Statistics", "TestSupport"], swiftSettings: strict),
    // The properties are also compiled by scripts/fuzz.sh, which adds the entry and its seeds.
    .testTarget(
      name: "FuzzTests", dependencies: ["AgentCore", "Shared", "TestSupport"], path: "Tests/Fuzz",
      exclude: ["Entry.swift", "FuzzSeeds.swift", "corpus"], swiftSettings: strict),
    .testTarget(
      name: "ControllerTests",
      dependencies: [
        "Azure", "ControllerCore", "GitHub", "SSH", "Shared", "Statistics", "TestSupport", "Tools", argumentParser,
        systemPackage,
      ],
      exclude: ["Goldens"], swiftSettings: strict),
    .testTarget(
      name: "EndToEndTests",
      dependencies: [
        "Agent", "AgentCore", "CLibrary", "Controller", "ControllerCore", "LocalSSHD", "Shared", "TestSupport",
        subprocess, systemPackage,
      ],
      swiftSettings: strict),
  ]
)
