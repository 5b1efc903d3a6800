/// The page at `/`, one file without assets. The attribute `nonce` of its `<style>` and `<script>` is `{nonce}`: each answer puts its own in its place, and the
/// header Content-Security-Policy lets nothing else run.
enum StatusPage {
    static let html = String(decoding: PackageResources.status_html, as: UTF8.self)
}
