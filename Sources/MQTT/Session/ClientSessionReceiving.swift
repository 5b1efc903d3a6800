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
            if let packetIdentifier = takenOver.popLast() { return .acknowledged(packetIdentifier: packetIdentifier) }
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

    /// What is not looked at before every delivery of the former connection has settled.
    private func mustWait(_ type: PacketType) -> Bool {
        type == .publish || type == .publishRelease || (type == .pingResponse && isConfirmingIdentifiers)
    }

    /// CONNACK comes first ([MQTT-3.2.0-1]), and once.
    @inline(__always)
    private func checkOrder(of type: PacketType) throws(MQTTError) {
        if phase == .connected {
            guard type != .connectionAcknowledgement else { throw .secondConnectionAcknowledgement }
        } else {
            guard type == .connectionAcknowledgement else { throw .packetBeforeConnectionAcknowledgement(type) }
        }
    }

    @inline(__always)
    private mutating func receivePublish(_ body: UnsafeRawBufferPointer, flags: UInt8) throws(MQTTError) -> SessionEvent {
        let publish = try Publish.read(body, flags: flags)
        let receipt: IncomingDeliveries.Receipt
        switch publish.qos {
        case .atMostOnce:
            return .publish(publish, sequence: nil)
        case .atLeastOnce:
            receipt = try deliveries.receiveAtLeastOnce(publish.packetIdentifier, isDuplicate: publish.isDuplicate)
        case .exactlyOnce:
            receipt = try deliveries.receiveExactlyOnce(publish.packetIdentifier, isDuplicate: publish.isDuplicate)
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
            guard let sequence = try deliveries.receiveRelease(packetIdentifier) else { return nil }
            return .released(packetIdentifier: packetIdentifier, sequence: sequence)
        case .publishAcknowledgement:
            let packetIdentifier = try PacketIdentifier.read(body, of: type)
            try publications.acknowledged(packetIdentifier)
            return .acknowledged(packetIdentifier: packetIdentifier)
        case .publishReceived:
            try publications.received(try PacketIdentifier.read(body, of: type), output: &output)
            return nil
        case .publishComplete:
            let packetIdentifier = try PacketIdentifier.read(body, of: type)
            return try publications.completed(packetIdentifier) ? .acknowledged(packetIdentifier: packetIdentifier) : nil
        case .subscribeAcknowledgement:
            let subscriptions = try requests.subscribeAcknowledged(try PacketIdentifier.read(body, of: type))
            return .subscribed(try SubscribeAcknowledgement.read(body, of: subscriptions))
        case .unsubscribeAcknowledgement:
            return .unsubscribed(try requests.unsubscribeAcknowledged(try PacketIdentifier.read(body, of: type)))
        case .pingResponse:
            keepAlive.pingResponseReceived()
            guard isConfirmingIdentifiers else { return nil }
            isConfirmingIdentifiers = false
            deliveries.freeUnconfirmed()
            return .identifiersConfirmed
        case .publish, .connect, .subscribe, .unsubscribe, .pingRequest, .disconnect:
            throw .packetTypeNotForClients(type)
        }
    }

    private mutating func receiveConnectionAcknowledgement(_ body: UnsafeRawBufferPointer) throws(MQTTError) -> SessionEvent {
        let presence = try ConnectionAcknowledgement.read(
            body, version: configuration.version, cleanSession: configuration.cleanSession)
        phase = .connected
        if presence == .absent { deliveries.sessionForgotten() } else { deliveries.sessionResumed() }
        takenOver = publications.resend(to: &output, presence: presence).reversed()
        return .connected(presence)
    }
}
