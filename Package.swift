// swift-tools-version: 6.3
import PackageDescription

// Warnings are errors wherever scripts/test builds; a plain `swift build` by a user with a newer compiler is not broken by a new warning.
let strictness: [SwiftSetting] = Context.environment["PENSTOCK_STRICT"] == nil ? [] : [.treatAllWarnings(as: .error)]

let log = Target.Dependency.product(name: "Logging", package: "swift-log")
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioWebSocket = Target.Dependency.product(name: "NIOWebSocket", package: "swift-nio")
let nioSSL = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let nioEmbedded = Target.Dependency.product(name: "NIOEmbedded", package: "swift-nio")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")
let metrics = Target.Dependency.product(name: "CoreMetrics", package: "swift-metrics")
let hummingbirdCore = Target.Dependency.product(name: "HummingbirdCore", package: "hummingbird")
let httpTypes = Target.Dependency.product(name: "HTTPTypes", package: "swift-http-types")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")

// The order is the direction of the data: each target imports only what stands above it here.
let package = Package(
    name: "penstock",
    products: [.executable(name: "penstock", targets: ["penstock"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
    ],
    targets: [
        .systemLibrary(name: "CLibPQ", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
        .target(name: "MQTT", dependencies: [nioCore], swiftSettings: strictness),
        .target(name: "Payload", dependencies: ["CZlib", "CZstd"], swiftSettings: strictness),
        .target(name: "Sparkplug", dependencies: ["Payload"], swiftSettings: strictness),
        .target(name: "CopyFormat", dependencies: ["Payload"], swiftSettings: strictness),
        .target(name: "Mapping", dependencies: ["MQTT", "Payload", "Sparkplug", "CopyFormat", yams], swiftSettings: strictness),
        .target(name: "Inference", dependencies: ["MQTT", "Mapping", "Payload", "CopyFormat"], swiftSettings: strictness),
        .target(name: "PostgreSQL", dependencies: ["CLibPQ", "CopyFormat"], swiftSettings: strictness),
        .target(
            name: "Store", dependencies: ["PostgreSQL", "CopyFormat", "Mapping", "MQTT", "Payload"],
            // A link to migrations/ at the top: the program carries its SQL.
            resources: [
                .embedInCode("Migrations/0001_penstock_schema.sql"), .embedInCode("Migrations/0002_exactly_once.sql"),
                .embedInCode("Migrations/0003_subscriptions.sql"), .embedInCode("Migrations/0004_unchanged_subscriptions.sql"),
                .embedInCode("Migrations/0005_sparkplug_births.sql"), .embedInCode("Migrations/0006_for_analysts.sql"),
            ], swiftSettings: strictness),
        .target(
            name: "Ingest",
            dependencies: [
                "MQTT", "Mapping", "Payload", "Sparkplug", "CopyFormat", "PostgreSQL", "Store", nioCore, nioPosix, nioHTTP1, nioWebSocket,
                nioSSL, log, metrics,
            ],
            swiftSettings: strictness),
        .target(
            name: "Operations",
            dependencies: [
                "Ingest", "Store", "PostgreSQL", "Mapping", "MQTT", nioCore, nioPosix, log, metrics, hummingbirdCore, httpTypes,
            ],
            resources: [.embedInCode("Status/status.html")], swiftSettings: strictness),
        .target(name: "Fleet", dependencies: ["MQTT", nioCore, nioPosix], swiftSettings: strictness),
        .target(name: "Sandbox", swiftSettings: strictness),
        .executableTarget(
            name: "penstock",
            dependencies: [
                "Operations", "Ingest", "Store", "PostgreSQL", "Mapping", "Sparkplug", "Payload", "MQTT", "Inference", "Fleet", "Sandbox",
                arguments, log, nioCore,
            ],
            swiftSettings: strictness),

        .testTarget(name: "MQTTTests", dependencies: ["MQTT"], swiftSettings: strictness),
        .testTarget(
            name: "PayloadTests", dependencies: ["Payload", "Differential"], exclude: ["Fixtures"], swiftSettings: strictness),
        .testTarget(name: "SparkplugTests", dependencies: ["Sparkplug", "Payload"], swiftSettings: strictness),
        .testTarget(name: "CopyFormatTests", dependencies: ["CopyFormat"], swiftSettings: strictness),
        .testTarget(
            name: "MappingTests", dependencies: ["Mapping", "CopyFormat", "Payload", "Sparkplug", "Differential"],
            exclude: ["Cases", "Fixtures"], swiftSettings: strictness),
        .testTarget(name: "InferenceTests", dependencies: ["Inference", "Mapping", "Fleet"], swiftSettings: strictness),
        .testTarget(
            name: "StoreTests", dependencies: ["Store", "PostgreSQL", "Mapping", "CopyFormat", "MQTT", "Sandbox"],
            swiftSettings: strictness),
        .testTarget(
            name: "IngestTests",
            dependencies: ["Ingest", "MQTT", "Mapping", "Store", nioCore, nioPosix, nioHTTP1, nioWebSocket, nioSSL, nioEmbedded, log],
            swiftSettings: strictness),
        .testTarget(
            name: "OperationsTests", dependencies: ["Operations", "Ingest", "Store", "MQTT", metrics, httpTypes, log],
            swiftSettings: strictness),
        .testTarget(
            name: "SimulationTests",
            dependencies: ["Ingest", "Store", "PostgreSQL", "Mapping", "MQTT", "CopyFormat", nioCore, nioEmbedded, log],
            swiftSettings: strictness),
        .testTarget(name: "SandboxTests", dependencies: ["Sandbox"], swiftSettings: strictness),
        .testTarget(name: "FleetTests", dependencies: ["Fleet", "Sandbox", "MQTT", nioCore], swiftSettings: strictness),
        .testTarget(
            name: "EndToEndTests", dependencies: ["penstock", "PostgreSQL", "Sandbox", "Fleet", "Mapping", "CopyFormat", "Sparkplug"],
            swiftSettings: strictness),

        .executableTarget(
            name: "Torture", dependencies: ["Sandbox", "MQTT", "PostgreSQL", nioCore], path: "Tests/Torture", swiftSettings: strictness),
        // What scripts/compare-* ask, and the tests that do the same in small.
        .target(
            name: "Differential", dependencies: ["Mapping", "CopyFormat", "Payload", "MQTT"], path: "Tests/Differential/Comparison",
            swiftSettings: strictness),
        .executableTarget(
            name: "compare", dependencies: ["Differential"], path: "Tests/Differential/compare", swiftSettings: strictness),
        .executableTarget(name: "brokerload", path: "Benchmarks/brokerload"),
        .executableTarget(
            name: "EndToEndBenchmark", dependencies: ["PostgreSQL"], path: "Benchmarks/EndToEnd", swiftSettings: strictness),
        .executableTarget(
            name: "PlanBenchmark",
            dependencies: ["CopyFormat", "Mapping", .product(name: "ArgumentParser", package: "swift-argument-parser")],
            path: "Benchmarks/Plan", swiftSettings: strictness),
    ],
    swiftLanguageModes: [.v6]
)

// What scripts/fuzz builds, in a folder of its own: the fuzz targets, and the counters of libFuzzer in the modules they drive.
if Context.environment["PENSTOCK_FUZZ"] != nil {
    let instrumented = SwiftSetting.unsafeFlags(["-sanitize=fuzzer,address", "-enable-testing", "-assert-config", "Debug"])
    for target in package.targets where ["MQTT", "Payload", "Sparkplug", "CopyFormat", "Mapping", "Ingest"].contains(target.name) {
        target.swiftSettings = (target.swiftSettings ?? []) + [instrumented]
    }
    package.targets.append(.systemLibrary(name: "CLibFuzzer", path: "Tests/Fuzz/CLibFuzzer"))
    package.targets.append(
        .target(name: "FuzzSupport", dependencies: ["CLibFuzzer"], path: "Tests/Fuzz/Support", swiftSettings: strictness))
    let fuzzed: [String: [Target.Dependency]] = [
        "airvantage": ["Payload"], "binary": ["Payload"], "cbor": ["Payload"], "config": ["Ingest", "Mapping"], "csv": ["Payload"],
        "json": ["Payload"], "msgpack": ["Payload"], "senml": ["Payload"], "unpack": ["Payload"],
        "mapping": ["Mapping", "MQTT", "Payload"], "message": ["CopyFormat", "Mapping", "MQTT", "Payload"], "mqtt": ["MQTT", nioCore],
        "sparkplug": ["Payload", "Sparkplug"], "topics": ["Mapping", "MQTT", "Payload"],
    ]
    for (name, modules) in fuzzed {
        package.targets.append(
            .executableTarget(
                name: "fuzz-\(name)", dependencies: modules + ["FuzzSupport"], path: "Tests/Fuzz/\(name)",
                exclude: ["corpus", "dictionary"],
                swiftSettings: strictness + [instrumented],
                linkerSettings: [.unsafeFlags(["-sanitize=fuzzer,address"])]))
    }
}
