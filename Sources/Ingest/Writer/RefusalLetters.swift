import CopyFormat
import Store

/// Dead letters of refused units, written anew for each try.
final class RefusalLetters {
    private var buffer = CopyBuffer(capacity: 256)

    var bytes: UnsafeRawBufferPointer { buffer.bytes(0..<buffer.count) }

    func write(refusalsOf batch: Batch) {
        buffer.removeAll()
        for (number, refusal) in batch.refusals.sorted(by: { $0.key < $1.key }) {
            let unit = batch.units.pointee.units[number]
            let message = batch.messages.pointee.message(Int(unit.message))
            buffer.appendDeadLetter(
                topic: message.topic, payload: message.payload, receivedMicroseconds: message.receivedMicroseconds, qos: message.qos,
                isRetained: message.isRetained, mapping: batch.plan.names[Int(unit.mapping)], stage: refusal.stage, column: refusal.column,
                sqlState: refusal.sqlState, error: refusal.error,
                clientIdentifier: batch.clientIdentifier(batch.messages.pointee.entries[Int(unit.message)].session),
                properties: message.properties, broker: message.broker)
        }
    }
}
