import Hummingbird
import HummingbirdCore
let probe = 1
