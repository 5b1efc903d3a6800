import Mapping

/// From one set of mappings to the next.
extension Shard {
    /// Takes new mappings: what is in the open batch is stored under the old ones, everything after it under the new ones.
    func change(to plan: MappingPlan, subscriptions: SubscriptionPlan) {
        nextPlan = (plan, subscriptions)
        commitIfIdle()
        changePlanIfIdle()
    }

    /// The open batch holds nothing that was made by the old plan.
    func changePlanIfIdle() {
        guard let next = nextPlan else { return }
        // With something in it, it goes first: at once if the writer is idle, else when it comes back. `linger` does not hold it.
        if !open.isEmpty, spare != nil { send() }
        // A batch that needs no commit has come back at once, and may have brought the change with it.
        guard open.isEmpty, nextPlan != nil else { return }
        nextPlan = nil
        for (name, counters) in zip(plan.names, evaluator.pointee.counters) {
            formerMappings[name] = formerMappings[name]?.adding(counters) ?? counters
        }
        plan = next.plan
        subscriptions = next.subscriptions
        evaluator.deinitialize(count: 1)
        evaluator.initialize(to: Evaluator(plan: plan, limits: settings.decode, births: .seen(births)))
        flood = FloodGate(perMinute: settings.lettersPerMinute, policy: settings.floodPolicy)
        reports = ErrorReports(plan: plan, perMinute: settings.reportsPerMinute)
        open = makeBatch()
        if spare != nil { spare = makeBatch() }
        takeWaiting()
        for case let session? in sessions { session.subscriptionsChanged() }
        commitIfIdle()
        resumeReading()
    }

    func makeBatch() -> Batch { Batch(plan: plan, clientIdentifierPrefix: settings.clientIdentifierPrefix) }
}
