/// The fields of a form and what they send; https://html.spec.whatwg.org/multipage/form-control-infrastructure.html
struct HTMLForm {
    let form: HTMLElement
    /// What was written into fields, or whether a box is ticked.
    let edits: [HTMLElement: HTMLEdit]

    /// The form that an element is or belongs to.
    static func of(_ element: HTMLElement) throws(SelectorError) -> HTMLElement? {
        if element.name == "form" { return element }
        if let id = element.attribute("form") {
            return element.document.elements.first { $0.name == "form" && $0.attribute("id") == id }
        }
        var parent = element.parent
        while let place = parent {
            if place.name == "form" { return place }
            parent = place.parent
        }
        return nil
    }

    /// The names and values to send, in document order.
    func entries(pressing submitter: HTMLElement?) throws(SelectorError) -> [(name: String, value: String)] {
        let disabled = Set(try self.form.document.select(PageSelector(":disabled")))
        let chosen = Set(try self.form.document.select(PageSelector("option:checked")))
        var entries: [(name: String, value: String)] = []
        for field in self.form.document.elements where Self.fields.contains(field.name) && field.isHTML {
            guard let name = field.attribute("name"), !name.isEmpty, !disabled.contains(field) else { continue }
            guard try Self.of(field) == self.form else { continue }
            switch field.name {
            case "select":
                for option in try self.options(of: field, chosen) where !disabled.contains(option) {
                    entries.append((name, Self.value(of: option)))
                }
            case "textarea": entries.append((name, self.written(field) ?? field.textContent))
            case "button": if field == submitter { entries.append((name, field.attribute("value") ?? "")) }
            default: self.add(field, name, submitter, to: &entries)
            }
        }
        return entries
    }

    private static let fields: Set<String> = ["input", "select", "textarea", "button"]

    private func add(
        _ field: HTMLElement, _ name: String, _ submitter: HTMLElement?,
        to entries: inout [(name: String, value: String)]
    ) {
        switch Self.type(of: field) {
        case "checkbox", "radio":
            if self.isTicked(field) { entries.append((name, field.attribute("value") ?? "on")) }
        case "submit": if field == submitter { entries.append((name, field.attribute("value") ?? "Submit")) }
        case "image":
            guard field == submitter else { return }
            entries.append((name + ".x", "0"))
            entries.append((name + ".y", "0"))
        case "button", "reset": break
        // A file that was not chosen; none can be.
        case "file": entries.append((name, ""))
        default: entries.append((name, self.written(field) ?? field.attribute("value") ?? ""))
        }
    }

    static func type(of field: HTMLElement) -> String { field.attribute("type")?.lowercased() ?? "text" }

    private func written(_ field: HTMLElement) -> String? {
        guard case .text(let text) = self.edits[field] else { return nil }
        return text
    }

    private func isTicked(_ field: HTMLElement) -> Bool {
        guard case .ticked(let isTicked) = self.edits[field] else { return field.attribute("checked") != nil }
        return isTicked
    }

    private func options(of select: HTMLElement, _ chosen: Set<HTMLElement>) throws(SelectorError) -> [HTMLElement] {
        let options = try select.select(PageSelector("option"))
        guard let value = self.written(select) else { return options.filter(chosen.contains) }
        return options.first { Self.value(of: $0) == value || $0.text == value }.map { [$0] } ?? []
    }

    static func value(of option: HTMLElement) -> String { option.attribute("value") ?? option.text }

    /// https://url.spec.whatwg.org/#application/x-www-form-urlencoded
    static func encoded(_ entries: [(name: String, value: String)]) -> String {
        entries.map { Self.escaped($0.name) + "=" + Self.escaped($0.value) }.joined(separator: "&")
    }

    private static func escaped(_ text: String) -> String {
        var result: [UInt8] = []
        for byte in Self.lines(text).utf8 {
            switch byte {
            case UInt8(ascii: " "): result.append(UInt8(ascii: "+"))
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "*"), UInt8(ascii: "-"), UInt8(ascii: "."),
                UInt8(ascii: "_"):
                result.append(byte)
            default:
                let digits = Array("0123456789ABCDEF".utf8)
                result += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// Ends of lines go as CR LF.
    private static func lines(_ text: String) -> String {
        text.split(omittingEmptySubsequences: false) { $0 == "\r\n" || $0 == "\n" || $0 == "\r" }.joined(
            separator: "\r\n")
    }

    /// https://www.rfc-editor.org/rfc/rfc7578
    static func multipart(_ entries: [(name: String, value: String)], boundary: String) -> String {
        func quoted(_ name: String) -> String {
            name.replacing("\"", with: "%22").replacing("\r", with: "%0D").replacing("\n", with: "%0A")
        }
        return entries.map { entry in
            "--\(boundary)\r\nContent-Disposition: form-data; name=\"\(quoted(entry.name))\"\r\n\r\n\(Self.lines(entry.value))\r\n"
        }.joined() + "--\(boundary)--\r\n"
    }
}

/// What somebody did to a field.
enum HTMLEdit: Sendable, Hashable {
    case text(String)
    case ticked(Bool)
}
