import Testing

@testable import PostgreSQL

@Suite("What libpq says of a connection")
struct ConnectionErrorTests {
    @Test(
        "several lines become one, without tabs; whether the server runs is asked by the advice already",
        arguments: [
            ("fe_sendauth: no password supplied\n", "fe_sendauth: no password supplied"),
            (
                "connection to server at \"127.0.0.1\", port 1 failed: Connection refused\n"
                    + "\tIs the server running on that host and accepting TCP/IP connections?\n",
                "connection to server at \"127.0.0.1\", port 1 failed: Connection refused"
            ),
            (
                "server closed the connection unexpectedly\n\tThis probably means the server terminated abnormally\n"
                    + "\tbefore or while processing the request.\n",
                "server closed the connection unexpectedly; This probably means the server terminated abnormally; before or while processing the request."
            ),
            ("", ""), ("\n\t\n", ""),
        ])
    func oneLine(text: String, line: String) { #expect(Connection.oneLine(text) == line) }
}
