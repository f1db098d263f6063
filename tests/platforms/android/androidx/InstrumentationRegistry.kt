package androidx.test.platform.app

import android.app.Instrumentation

// What the instrumented test uses of androidx.test, which is on Google's Maven only.

public object InstrumentationRegistry {
    @JvmStatic
    public fun getInstrumentation(): Instrumentation =
        throw UnsupportedOperationException("no device")
}
