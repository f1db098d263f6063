package androidx.test.platform.app

import android.app.Instrumentation

// What the instrumented test uses of androidx.test, which is on Google's Maven only.

object InstrumentationRegistry {
    @JvmStatic
    fun getInstrumentation(): Instrumentation = throw UnsupportedOperationException("no device")
}
