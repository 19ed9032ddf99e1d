public import NIOHTTP1

extension HTTPHeaders {
    public init(_ headers: [WebSocketHeader]) {
        self.init(headers.map { ($0.name, $0.value) })
    }
}

extension Array where Element == WebSocketHeader {
    public init(_ headers: HTTPHeaders) {
        self = headers.map { WebSocketHeader($0.name, $0.value) }
    }
}
