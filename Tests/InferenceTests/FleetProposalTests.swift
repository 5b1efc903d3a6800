import Fleet
import Foundation
import Mapping
import Testing

@testable import Inference

@Suite("Proposals for twelve kinds of device")
struct FleetProposalTests {
    /// 2026-03-01T12:00:00Z
    static let start: Int64 = 1_772_366_400_000

    /// What a fleet says in rounds of five seconds, each message received half a second after it was made.
    static func messages(_ kinds: [DeviceKind] = DeviceKind.allCases, devicesOfKind: Int = 4, rounds: Int = 40) -> [ObservedMessage] {
        let fleet = DeviceFleet(devices: kinds.count * devicesOfKind, kinds: kinds)
        return (0..<fleet.devices * rounds).map { number in
            let milliseconds = start + Int64(fleet.sequence(of: number)) * 5000 + Int64(number % fleet.devices) * 17
            let message = fleet.message(number, at: milliseconds)
            return ObservedMessage(topic: message.topic, payload: message.payload, receivedMicroseconds: milliseconds * 1000 + 500_000)
        }
    }

    @Test("shows", .enabled(if: ProcessInfo.processInfo.environment["SHOW"] != nil))
    func show() {
        let inference = Inference(Self.messages())
        for proposal in inference.proposals {
            print(
                "=== \(proposal.name): \(proposal.messageCount) messages, stored \(proposal.storedCount), rows \(proposal.rowCount), losses \(proposal.losses), problems \(proposal.problems.prefix(3))"
            )
            print(proposal.text.components(separatedBy: "\ntests:")[0])
        }
    }
}
