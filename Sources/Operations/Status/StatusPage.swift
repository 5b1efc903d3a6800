/// The page at `/`. Where it has a `<style>` or a `<script>`, their attribute `nonce` is `{nonce}`: each answer puts its own in its place, and the header
/// Content-Security-Policy lets nothing else run. It loads nothing but `/api/status`.
enum StatusPage {
    static let html = """
        <!doctype html>
        <html lang="en">
        <head><meta charset="utf-8"><title>Penstock</title></head>
        <body><h1>Penstock</h1><p><a href="/api/status">status</a> <a href="/metrics">metrics</a> <a href="/readyz">ready?</a></p></body>
        </html>
        """
}
