; Main writes to what a constant holds, then another ractor reads the constant: the reader gets the
; error. It names the constant, the way to the object, both ractors and both places.

(defrecord user name roles)
(defconst USERS {:admin (make-user "root" ["everything"])
                 :guest (make-user "guest" ["read"])})

(define (count-users)
  (hash-count USERS))

(define reader
  (ractor "reader"
    (receive)
    (count-users)))

(vector-push! (user-roles (hash-ref USERS :guest)) "write")
(send reader 'go)

(try (take reader)
     (catch (condition)
       (say (condition-kind condition) ": " (condition-report condition))))
