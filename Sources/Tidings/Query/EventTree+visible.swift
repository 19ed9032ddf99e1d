extension EventTree {
    /// The part of the tree around the event asked for that hangs together without the events that may not be seen: from
    /// the highest cause that is reached over visible ones only, without the branches of invisible ones.
    ///
    /// - Returns: nil when the event asked for may not be seen itself; ``isIncomplete`` when anything was left out.
    package func visible(_ isVisible: (StandardEvent) -> Bool) -> EventTree? {
        guard let asked = self.nodes.firstIndex(where: { $0.event.eventID == self.eventID }),
            isVisible(self.nodes[asked].event)
        else { return nil }
        // Nodes come depth first: the next cause is the nearest one before that is less deep.
        var top = asked
        for index in (0..<asked).reversed() where self.nodes[index].depth == self.nodes[top].depth - 1 {
            guard isVisible(self.nodes[index].event) else { break }
            top = index
        }
        let root = self.nodes[top]
        var nodes: [Node] = []
        var hidden: Int?
        for index in top..<self.nodes.count {
            let node = self.nodes[index]
            if index > top && node.depth <= root.depth { break }
            if let depth = hidden {
                if node.depth > depth { continue }
                hidden = nil
            }
            guard isVisible(node.event) else {
                hidden = node.depth
                continue
            }
            let elapsed = Int128(node.event.timestamp.nanoseconds) - Int128(root.event.timestamp.nanoseconds)
            nodes.append(
                Node(
                    logged: node.logged, event: node.event, elapsedMs: ExactDecimal(nanosecondsAsMs: elapsed),
                    depth: node.depth - root.depth))
        }
        return EventTree(
            eventID: self.eventID, isIncomplete: self.isIncomplete || nodes.count < self.nodes.count, nodes: nodes)
    }
}
