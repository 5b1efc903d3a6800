import Foundation
import Testing

@testable import Ingest

@Suite("The mailbox between an event loop and a writer")
struct MailboxTests {
    @Test("Messages come out in the order in which they went in")
    func order() {
        let mailbox = Mailbox<Int>()
        for number in 0..<100 { mailbox.put(number) }
        #expect((0..<100).map { _ in mailbox.take() } == (0..<100).map { $0 })
    }

    @Test("Waiting for the end ends at the deadline, and at once when it is closed")
    func deadline() {
        let mailbox = Mailbox<Int>()
        #expect(mailbox.waitUntilClosed(nanoseconds: 10_000_000) == false)
        Thread.detachNewThread { mailbox.close() }
        #expect(mailbox.waitUntilClosed(nanoseconds: 60_000_000_000) == true)
    }

    @Test("A closed mailbox takes nothing in and still gives out what it holds")
    func closing() {
        let mailbox = Mailbox<Int>()
        mailbox.put(1)
        mailbox.close()
        #expect(mailbox.put(2) == false)
        #expect(mailbox.take() == 1)
        #expect(mailbox.take() == nil)
    }

    @Test("Whoever waits wakes up when a message comes from another thread")
    func wakesUp() {
        let mailbox = Mailbox<Int>()
        Thread.detachNewThread { mailbox.put(7) }
        #expect(mailbox.take() == 7)
    }
}
