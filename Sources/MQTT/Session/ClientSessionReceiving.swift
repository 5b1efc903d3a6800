import NIOCore

/// What the server sends, packet by packet.
extension ClientSession {
    /// Reads the next event from `bytes` and moves `offset` behind its packet. Packets that mean nothing to the caller are passed over.
    ///
    /// The pointers of a `Publish` are valid as long as `bytes` are. Reading a PUBLISH allocates nothing.
    ///
    /// - Throws: what the server did against the standard or the bounds; `offset` is then at the packet to blame.
    public mutating func nextEvent(
        in bytes: UnsafeRawBufferPointer, at offset: inout Int, now: NIODeadline
    ) throws(MQTTError) -> SessionEvent {
        guard phase != .closed else {
            offset = bytes.count
            return .needsMoreBytes
        }
        precondition(offset >= 0 && offset <= bytes.count, "offset \(offset) is beyond the \(bytes.count) bytes")
        keepAlive.received(now: now)
        do throws(MQTTError) {
            if let own = ownEvents.popLast() { return own.event }
            while true {
                let header = try FixedHeader.read(
                    bytes, at: offset, version: configuration.version, packetBytesMaximum: configuration.maximumPacketBytes)
                guard let header else { return .needsMoreBytes }
                try checkOrder(of: header.type)
                guard header.packetEnd <= bytes.count else { return .needsMoreBytes }
                let body = UnsafeRawBufferPointer(rebasing: bytes[header.bodyStart..<header.packetEnd])

                if deliveries.hasUnsettledOfFormerConnection || isWaitingForFreedIdentifiers, mustWait(header.type) { return .held }
                let event = header.type == .publish ? try receivePublish(body, flags: header.flags) : try receive(header.type, body)
                if isWaitingForFreedIdentifiers { return .identifiersFreed }
                offset = header.packetEnd
                if let event { return event }
            }
        } catch {
            throw fail(error)
        }
    }

    /// Messages that the server may have under way; before 5.0 there are only as many as packet identifiers.
    @inline(__always)
    private var receiveMaximum: Int { version.hasProperties ? Int(configuration.receiveMaximum) : .max }

    /// What is not looked at before every delivery of the former connection has settled.
    private func mustWait(_ type: PacketType) -> Bool {
        type == .publish || type == .publishRelease || (type == .pingResponse && isConfirmingIdentifiers)
    }

    /// CONNACK comes first ([MQTT-3.2.0-1]), and once. AUTH may come before it, to be refused.
    @inline(__always)
    private func checkOrder(of type: PacketType) throws(MQTTError) {
        if phase == .connected {
            guard type != .connectionAcknowledgement else { throw .secondConnectionAcknowledgement }
        } else {
            guard type == .connectionAcknowledgement || type == .authentication else { throw .packetBeforeConnectionAcknowledgement(type) }
        }
    }

    @inline(__always)
    private mutating func receivePublish(_ body: UnsafeRawBufferPointer, flags: UInt8) throws(MQTTError) -> SessionEvent {
        var publish = try Publish.read(body, flags: flags, version: version)
        if publish.topicAlias != 0 { try aliases.resolve(&publish) }
        let receipt: IncomingDeliveries.Receipt
        switch publish.qos {
        case .atMostOnce:
            return .publish(publish, sequence: nil)
        case .atLeastOnce:
            receipt = try deliveries.receiveAtLeastOnce(
                publish.packetIdentifier, isDuplicate: publish.isDuplicate, maximum: receiveMaximum)
        case .exactlyOnce:
            receipt = try deliveries.receiveExactlyOnce(
                publish.packetIdentifier, isDuplicate: publish.isDuplicate, maximum: receiveMaximum)
        }
        switch receipt {
        case .delivery(let sequence): return .publish(publish, sequence: sequence)
        case .repeated: return .repeated(packetIdentifier: publish.packetIdentifier, qos: publish.qos)
        case .contradiction:
            // The packet stays where it is, and comes again once the identifiers are free for certain.
            isWaitingForFreedIdentifiers = true
            deliveries.freeUnconfirmed()
            return .identifiersFreed
        }
    }

    /// Every packet but PUBLISH; nil when the caller has nothing to do with it.
    @inline(never)
    private mutating func receive(_ type: PacketType, _ body: UnsafeRawBufferPointer) throws(MQTTError) -> SessionEvent? {
        switch type {
        case .connectionAcknowledgement:
            return try receiveConnectionAcknowledgement(body)
        case .publishRelease:
            let packetIdentifier = try PacketIdentifier.read(body, of: type)
            // Its reason code can only say that the server does not know the identifier; then it is free as well.
            _ = try ServerNotice(body, from: 2, of: type, version: version, properties: .acknowledgement)
            guard let sequence = try deliveries.receiveRelease(packetIdentifier) else { return nil }
            return .released(packetIdentifier: packetIdentifier, sequence: sequence)
        case .publishAcknowledgement:
            let packetIdentifier = try PacketIdentifier.read(body, of: type)
            let notice = try ServerNotice(body, from: 2, of: type, version: version, properties: .acknowledgement)
            try publications.acknowledged(packetIdentifier, output: &output)
            return ended(packetIdentifier, notice)
        case .publishReceived:
            let packetIdentifier = try PacketIdentifier.read(body, of: type)
            let notice = try ServerNotice(body, from: 2, of: type, version: version, properties: .acknowledgement)
            let isEnd = try publications.received(packetIdentifier, isRefused: notice.code.isFailure, output: &output)
            return isEnd ? ended(packetIdentifier, notice) : nil
        case .publishComplete:
            let packetIdentifier = try PacketIdentifier.read(body, of: type)
            _ = try ServerNotice(body, from: 2, of: type, version: version, properties: .acknowledgement)
            return try publications.completed(packetIdentifier, output: &output) ? .acknowledged(packetIdentifier: packetIdentifier) : nil
        case .subscribeAcknowledgement:
            let subscriptions = try requests.subscribeAcknowledged(try PacketIdentifier.read(body, of: type))
            return .subscribed(try SubscribeAcknowledgement.read(body, of: subscriptions, version: version))
        case .unsubscribeAcknowledgement:
            let filters = try requests.unsubscribeAcknowledged(try PacketIdentifier.read(body, of: type))
            return .unsubscribed(try SubscribeAcknowledgement.readUnsubscribed(body, of: filters, version: version))
        case .pingResponse:
            keepAlive.pingResponseReceived()
            guard isConfirmingIdentifiers else { return nil }
            isConfirmingIdentifiers = false
            deliveries.freeUnconfirmed()
            return .identifiersConfirmed
        case .disconnect:
            let notice = try ServerNotice(body, from: 0, of: type, version: version, properties: .disconnect)
            throw .disconnected(notice.code, notice.statement)
        case .authentication:
            // No authentication method was named in CONNECT, so the server must not ask for one.
            throw .unexpectedAuthentication
        case .publish, .connect, .subscribe, .unsubscribe, .pingRequest:
            throw .packetTypeNotForClients(type)
        }
    }

    private func ended(_ packetIdentifier: UInt16, _ notice: ServerNotice) -> SessionEvent {
        guard notice.code.isFailure else { return .acknowledged(packetIdentifier: packetIdentifier) }
        return .publishRefused(packetIdentifier: packetIdentifier, ServerRefusal(code: notice.code, reason: notice.statement.reason))
    }

    private mutating func receiveConnectionAcknowledgement(_ body: UnsafeRawBufferPointer) throws(MQTTError) -> SessionEvent {
        let acknowledgement = try ConnectionAcknowledgement(body, version: version, cleanSession: configuration.cleanSession)
        phase = .connected
        let presence = acknowledgement.presence
        capabilities = acknowledgement.capabilities
        if let seconds = capabilities.serverKeepAliveSeconds { keepAlive.set(seconds: seconds) }
        if presence == .absent { deliveries.sessionForgotten() } else { deliveries.sessionResumed() }
        ownEvents = publications.resend(to: &output, presence: presence, capabilities, maximum: publishesInFlightMaximum).reversed()
        return .connected(presence)
    }
}
