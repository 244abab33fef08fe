; An object of one child, which its parent hands to another: requests go through the parent.
(define shelf [nil])
(define (put object) (vector-set! shelf 0 object) nil)
(define (same? a b) (eq? a b))
(for-each export-variable '(shelf put same?))
(define owner
  (spawn-child
    '(begin
       (define (fail) (raise 'own-kind "from the owner"))
       (define (twice f x) (f (f x)))
       (define book (list 'title "text" fail twice))
       (parent-call 'put book)
       (run-loop))))
(while (not (vector-ref shelf 0)) (serve owner 10))
(define reader
  (spawn-child
    '(begin
       (define book (vector-ref (remote 'shelf) 0))
       (assert (remote? book))
       (assert (eq? book (vector-ref (remote 'shelf) 0)))
       (assert-equal 'title (car book))
       (assert-equal 4 (length book))
       (assert (string? (nth 1 book)))
       (assert-equal 4 (string-length (nth 1 book)))
       (assert-error 'type-error (vector-ref book 0))
       (assert (parent-call 'same? book (vector-ref (remote 'shelf) 0)))
       (setcar book 'changed)
       (assert-equal 'changed (car book))
       (define mine (list 'mine))
       (setcar book mine)
       (assert (eq? mine (car book)))
       (define caught (try ((nth 2 book)) (catch (e) e)))
       (assert-equal 'own-kind (condition-kind caught))
       (assert-equal "from the owner" (condition-message caught))
       ; There, here and there again.
       (assert-equal 12 ((nth 3 book) (lambda (n) (+ n 1)) 10))
       (setcar book 'left-behind)
       (parent-call 'end-owner)
       (define caught (try (car book) (catch (e) e)))
       (assert-equal 'peer-dead (condition-kind caught))
       ; Its parent is still there.
       (assert (link-alive? (parent)))
       (assert (remote? (remote 'shelf))))))
(define (end-owner) (kill-child owner) (wait-child owner))
(export-variable 'end-owner)
(assert-equal 0 (wait-child reader))
