// Follows trades over a WebSocket in a browser, or in Node 22 and later: node follow.js [URL [TOKEN]]
const [url = "ws://127.0.0.1:8765/ws", token] = globalThis.process?.argv.slice(2) ?? []
let place // the epoch and offset of the last event we had

function follow() {
  // A browser cannot set headers for a WebSocket: the token travels as a subprotocol beside another one.
  const socket = new WebSocket(url, token ? ["tidings", "bearer." + token] : [])
  socket.onopen = () =>
    socket.send(JSON.stringify({ action: "subscribe", event_types: ["trade"], from: place }))
  socket.onmessage = ({ data }) => {
    const frame = JSON.parse(data)
    if (frame.type === "ack") place = { epoch: frame.data.epoch, offset: frame.data.offset }
    else if (frame.type === "gap") console.warn("too slow: lost", frame.dropped)
    else if (frame.type === "error") console.error(frame.error)
    else if (frame.type === "event") {
      place.offset = frame.offset
      console.log(frame.data.source, frame.data.payload.symbol, frame.data.payload.price)
    }
  }
  socket.onclose = () => setTimeout(follow, 1000)
}
follow()
