import Dispatch
import Synchronization

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// What is known of one thread of the executor.
final class HandlerThread: Sendable {
    /// Its place in the pool.
    let slot: Int
    /// When the job it runs began, on the monotonic clock; 0 while it runs none.
    let startedAt = Atomic<Int64>(0)
    private let wakeUp = DispatchSemaphore(value: 0)

    init(slot: Int) {
        self.slot = slot
    }

    var isRunning: Bool { self.startedAt.load(ordering: .sequentiallyConsistent) != 0 }

    func wake() {
        self.wakeUp.signal()
    }

    /// Sleeps until ``wake()``; false when that did not happen in time.
    func park(nanoseconds: Int) -> Bool {
        self.wakeUp.wait(timeout: .now() + .nanoseconds(nanoseconds)) == .success
    }

    func park() {
        self.wakeUp.wait()
    }
}

/// A thread of the system, detached.
enum PlainThread {
    private final class Body: Sendable {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    static var coreCount: Int { max(Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))), 1) }

    /// Runs `body` on a thread of its own; false when the system has none left to give.
    /// - Parameter name: at most 15 bytes, for debuggers and `top -H`.
    static func start(named name: String, _ body: @escaping @Sendable () -> Void) -> Bool {
        let argument = Unmanaged.passRetained(
            Body {
                Self.setName(name)
                body()
            })
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        #if canImport(Glibc)
        var thread = pthread_t()
        #else
        var thread: pthread_t?
        #endif
        let failure = pthread_create(
            &thread, &attributes,
            { argument in
                #if canImport(Glibc)
                guard let argument else { return nil }
                #endif
                Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run()
                return nil
            }, argument.toOpaque())
        if failure != 0 { argument.release() }
        return failure == 0
    }

    private static func setName(_ name: String) {
        #if canImport(Glibc)
        // glibc shows `pthread_setname_np` to GNU C only; this is what it does.
        guard let file = fopen("/proc/thread-self/comm", "w") else { return }
        fputs(name, file)
        fclose(file)
        #else
        pthread_setname_np(name)
        #endif
    }
}
