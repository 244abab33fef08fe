; Another ractor reads a constant, then main writes to what it holds: main gets the error. It names
; the same constant, way, ractors and places as the error of the other order.

(defrecord user name roles)
(defconst USERS {:admin (make-user "root" ["everything"])
                 :guest (make-user "guest" ["read"])})

(define (count-users)
  (hash-count USERS))

(define reader
  (ractor "reader"
    (let ((result (count-users)))
      (send (receive) result)
      (receive))))

(send reader (self))
(receive)

(try (vector-push! (user-roles (hash-ref USERS :guest)) "write")
     (catch (condition)
       (say (condition-kind condition) ": " (condition-report condition))))
(send reader 'stop)
(take reader)
