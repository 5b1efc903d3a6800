import ArgumentParser
import Foundation
import Ingest
import Operations
import PostgreSQL
import Store

struct Status: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "How the service is: sessions, lag, rates, dead letters, mappings.",
        discussion: """
            Asks the running service at http.listen; if none answers there, what the database knows is told. Ends with 0 when all is well and with 1 when something \
            is wrong.
            """)

    @OptionGroup var options: ConfigurationOptions

    @Flag(help: "The report as JSON; of the database alone where no service answers.")
    var json = false

    @Flag(help: "Again every two seconds, until Ctrl-C.")
    var watch = false

    func run() async throws {
        let configuration = try Setup.configuration(options)
        guard watch else {
            let isWell = try await show(configuration)
            guard isWell else { throw ExitCode(ExitStatus.failed.rawValue) }
            return
        }
        let stop = StopSignal()
        var isWell = true
        while !stop.isReceived {
            // Home, and clear what is below: the terminal does not scroll.
            if Style.isUsed, !json { print("\u{1B}[H\u{1B}[2J", terminator: "") }
            isWell = try await show(configuration)
            fflush(nil)
            try await stop.sleep(seconds: 2)
        }
        guard isWell else { throw ExitCode(ExitStatus.failed.rawValue) }
    }

    /// - Returns: whether all is well.
    private func show(_ configuration: Configuration) async throws -> Bool {
        let json = json
        if let http = configuration.http {
            do {
                let report = try await blocking { try StatusClient(http).report() }
                print(json ? String(decoding: try report.json(pretty: !watch), as: UTF8.self) : StatusText(report).text)
                return report.ready && report.problems.isEmpty
            } catch let refused as StatusClient.Refused {
                throw Failure(.failed, "\(refused)")
            } catch let unreachable as StatusClient.Unreachable {
                if !json { Terminal.note("\(unreachable): what the database knows follows") }
            }
        } else if !json {
            Terminal.note("http is off: what the database knows follows")
        }
        let settings = configuration.database
        let stored = try await blocking { try StoredStatus(settings.connect().connection) }
        print(json ? stored.json : stored.text)
        return stored.isWell
    }
}
